/*
 * The details that ss prints with -p, -i, -e, -m and -o: misc/ss.c of iproute2. Each is "name:value" or a single word.
 * Most values of zero are not printed.
 */
#include <stdlib.h>
#include <string.h>

#include "model/holders.h"
#include "source/capture/formats/ss.h"
#include "source/text/scan.h"
#include "source/text/cgroups.h"

struct detail {
    const char *name; /* with its colon; NULL: the last one of this letter */
    size_t length;
    void (*read)(struct capture *capture, const char *value, struct conn *conn);
};

static uint32_t number_at(const char *value)
{
    uint64_t number = 0;
    scan_decimal(&value, &number);
    return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

/* Reads "0.366" ms as 366 us and moves `text` behind it. */
static uint32_t scan_us(const char **text)
{
    uint64_t whole = 0, us = 0;
    scan_decimal(text, &whole);
    if (scan_char(text, '.')) {
        for (unsigned weight = 100; **text >= '0' && **text <= '9'; (*text)++, weight /= 10)
            us += weight * (unsigned)(**text - '0');
    }
    us += whole < UINT32_MAX / 1000 ? whole * 1000 : (uint64_t)UINT32_MAX;
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* --- processes, timers, identity -------------------------------------------------------------------------------- */

/* Moves `text` behind the word if it is there. */
static void skip_word(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) == 0)
        *text += length;
}

/*
 * Finds where the name before `",pid=81,fd=7)` or `",81,7)` ends; NULL: nowhere. A number at the very end may be cut,
 * and does not count.
 */
static const char *find_pid(const char *name, const char *mark, const char **ret_behind, uint64_t *ret_pid)
{
    for (const char *end = name; (end = strstr(end, mark)) != NULL; end++) {
        const char *value = end + strlen(mark);
        if (*value >= '0' && *value <= '9' && scan_decimal(&value, ret_pid) && *ret_pid != 0 &&
            *ret_pid <= UINT32_MAX && (*value == ',' || *value == ')')) {
            *ret_behind = value;
            return end;
        }
    }
    return NULL;
}

/*
 * (("nginx",pid=812,fd=7),("nginx",pid=813,fd=7)), or (("nginx",812,7)) from an ss before 2014. A name may contain any
 * characters, so its end is found by what follows.
 */
static void read_users(struct capture *capture, const char *value, struct conn *conn)
{
    const char *open;
    while ((open = strstr(value, "(\"")) != NULL) {
        const char *name = open + 2;
        uint64_t pid, fd = FD_UNKNOWN;
        const char *end = find_pid(name, "\",pid=", &value, &pid);
        if (end == NULL)
            end = find_pid(name, "\",", &value, &pid);
        if (end == NULL)
            return;
        if (scan_char(&value, ',')) {
            skip_word(&value, "fd=");
            scan_decimal(&value, &fd);
        }
        if (fd > FD_UNKNOWN)
            fd = FD_UNKNOWN;
        capture_hold(capture, conn, (uint32_t)pid, name, (size_t)(end - name), (uint32_t)fd);
        if (strncmp(value, "),(\"", 4) != 0)
            return;
    }
}

/* "1min59sec", "12sec", "3.796ms" (3 s and 796 ms), "204ms": print_ms_timer() */
static uint32_t timer_ms(const char *text)
{
    uint64_t ms = 0, number;
    while (scan_decimal(&text, &number) && number < UINT32_MAX) {
        if (strncmp(text, "min", 3) == 0)
            ms += number * 60 * 1000, text += 3;
        else if (strncmp(text, "sec", 3) == 0)
            ms += number * 1000, text += 3;
        else if (*text == '.')
            ms += number * 1000, text += 1;
        else if (strncmp(text, "ms", 2) == 0)
            ms += number, text += 2;
        else
            break;
    }
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* (on,204ms,3): name, time left, retransmissions or probes. */
static void read_timer(struct capture *capture, const char *value, struct conn *conn)
{
    static const struct {
        const char *name;
        enum conn_timer timer;
    } timers[] = { { "(on,", TIMER_RETRANSMIT }, { "(keepalive,", TIMER_KEEPALIVE }, { "(timewait,", TIMER_TIME_WAIT },
        { "(persist,", TIMER_PERSIST } };
    struct ss *ss = capture->state;
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        size_t length = strlen(timers[i].name);
        if (strncmp(value, timers[i].name, length) != 0)
            continue;
        const char *comma = strchr(value + length, ',');
        uint32_t count = comma != NULL ? number_at(comma + 1) : 0;
        conn->timer = (uint8_t)timers[i].timer;
        conn->timer_ms = timer_ms(value + length);
        conn->retransmits = (uint8_t)(count < UINT8_MAX ? count : UINT8_MAX);
        if (timers[i].timer == TIMER_PERSIST || timers[i].timer == TIMER_KEEPALIVE)
            conn->probes = conn->retransmits; /* then idiag_retrans is icsk_probes_out */
        conn->present |= CONN_TIMER;
        ss->shows_timers = true;
    }
}

static void read_uid(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    conn->uid = number_at(value);
    conn->present |= CONN_UID;
}

/*
 * -e prints the inode and includes -o. So from here on a row without a timer has none. User 0 is not printed: for a
 * socket with an inode its absence means root.
 */
static void read_inode(struct capture *capture, const char *value, struct conn *conn)
{
    ((struct ss *)capture->state)->shows_timers = true;
    conn->inode = number_at(value);
    conn->present |= CONN_INODE;
    if (conn->inode != 0)
        conn->present |= CONN_UID;
    struct holder *holder = holders_first(capture->snapshot, conn);
    for (; holder != NULL; holder = holders_next(capture->snapshot, holder))
        holder->inode = conn->inode;
}

static void read_cookie(struct capture *capture, const char *value, struct conn *conn)
{
    enum { DIGITS_MAX = 16 };
    (void)capture;
    if (scan_hex(&value, DIGITS_MAX, &conn->cookie))
        conn->present |= CONN_COOKIE;
}

/* --- control groups ---------------------------------------------------------------------------------------------- */

/* The control group in which the socket was created: usually that of its process. */
static void read_cgroup(struct capture *capture, const char *value, struct conn *conn)
{
    struct snapshot *snapshot = capture->snapshot;
    size_t length = strcspn(value, " \t");
    if (value[0] != '/')
        return;
    bool is_new;
    uint32_t cgroup = cgroups_intern(snapshot, value, length, &is_new);
    if (is_new)
        snapshot->cgroups[cgroup].id = snapshot->cgroup_count; /* ss does not print the id; this one is made up */
    conn->cgroup_id = snapshot->cgroups[cgroup].id;
    conn->present |= CONN_CGROUP;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
        struct process *process = holders_process(snapshot, h);
        if (process->cgroup == NO_INDEX)
            cgroups_put(snapshot, process, cgroup);
    }
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

/* (r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0) */
static void read_memory(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    if (*value != '(')
        return;
    do {
        value++;
        if (value[0] == 'r' && value[1] != 'b')
            conn->skmem_rmem_bytes = number_at(value + 1);
        else if (value[0] == 'w')
            conn->skmem_wmem_bytes = number_at(value + 1);
        else if (value[0] == 'd') {
            conn->skmem_drops = number_at(value + 1);
            conn->present |= CONN_SKMEM;
        }
        value += strcspn(value, ",) ");
    } while (*value == ',');
}

/* --- struct tcp_info ---------------------------------------------------------------------------------------------- */

static void read_rto(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    conn->rto_ms = number_at(value);
    conn->present |= CONN_RTO | CONN_TCP_INFO;
}

static void read_rtt(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    conn->rtt_us = scan_us(&value);
    if (scan_char(&value, '/'))
        conn->rttvar_us = scan_us(&value);
    conn->present |= CONN_TCP_INFO;
}

static void read_backoff(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    uint32_t backoff = number_at(value);
    conn->backoff = (uint8_t)(backoff < UINT8_MAX ? backoff : UINT8_MAX);
}

/* "retrans:1/7": unanswered ones, and all of the connection. */
static void read_retrans(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    uint64_t in_flight;
    if (scan_decimal(&value, &in_flight) && scan_char(&value, '/'))
        conn->total_retrans = number_at(value);
}

/* cwnd is in every row that has a struct tcp_info, also in that of a listener. */
static void read_cwnd(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    (void)value;
    if (conn->state != STATE_LISTEN)
        conn->present |= CONN_TCP_INFO;
}

#define NUMBER(function, field)                                                                                        \
    static void function(struct capture *capture, const char *value, struct conn *conn)                                \
    {                                                                                                                  \
        (void)capture;                                                                                                 \
        conn->field = number_at(value);                                                                                \
    }
NUMBER(read_unacked, unacked)
NUMBER(read_last_sent, last_data_sent_ms)
NUMBER(read_last_received, last_data_recv_ms)
NUMBER(read_last_ack, last_ack_recv_ms)

static void read_snd_wnd(struct capture *capture, const char *value, struct conn *conn)
{
    ((struct ss *)capture->state)->shows_snd_wnd = true;
    conn->snd_wnd_bytes = number_at(value);
}

#define BYTES(function, field)                                                                                         \
    static void function(struct capture *capture, const char *value, struct conn *conn)                                \
    {                                                                                                                  \
        uint64_t number = 0;                                                                                           \
        ((struct ss *)capture->state)->shows_bytes = true;                                                             \
        scan_decimal(&value, &number);                                                                                 \
        conn->field = number;                                                                                          \
    }
BYTES(read_bytes_acked, bytes_acked)
BYTES(read_bytes_received, bytes_received)

static void read_notsent(struct capture *capture, const char *value, struct conn *conn)
{
    ((struct ss *)capture->state)->shows_bytes = true;
    conn->notsent_bytes = number_at(value);
}

static void read_rwnd_limited(struct capture *capture, const char *value, struct conn *conn)
{
    ((struct ss *)capture->state)->shows_bytes = true;
    conn->rwnd_limited_ms = number_at(value);
}

/* --- the table of details --------------------------------------------------------------------------------------- */

/* Known details that are not used. They count as understood. */
static void pass_over(struct capture *capture, const char *value, struct conn *conn)
{
    (void)capture;
    (void)value;
    (void)conn;
}

#define DETAIL(name, read)                                                                                             \
    {                                                                                                                  \
        name, sizeof(name) - 1, read                                                                                   \
    }
static const struct detail *const details[] = {
    ['a' - 'a'] =
        (const struct detail[]){
            DETAIL("ato:", pass_over),
            DETAIL("advmss:", pass_over),
            { NULL },
        },
    ['b' - 'a'] =
        (const struct detail[]){
            DETAIL("backoff:", read_backoff),
            DETAIL("bytes_acked:", read_bytes_acked),
            DETAIL("bytes_received:", read_bytes_received),
            DETAIL("bytes_retrans:", pass_over),
            DETAIL("bytes_sent:", pass_over),
            DETAIL("busy:", pass_over),
            { NULL },
        },
    ['c' - 'a'] =
        (const struct detail[]){
            DETAIL("cgroup:", read_cgroup),
            DETAIL("cwnd:", read_cwnd),
            { NULL },
        },
    ['i' - 'a'] =
        (const struct detail[]){
            DETAIL("ino:", read_inode),
            { NULL },
        },
    ['l' - 'a'] =
        (const struct detail[]){
            DETAIL("lastack:", read_last_ack),
            DETAIL("lastrcv:", read_last_received),
            DETAIL("lastsnd:", read_last_sent),
            { NULL },
        },
    ['m' - 'a'] =
        (const struct detail[]){
            DETAIL("minrtt:", pass_over),
            { NULL },
        },
    ['n' - 'a'] =
        (const struct detail[]){
            DETAIL("notsent:", read_notsent),
            { NULL },
        },
    ['r' - 'a'] =
        (const struct detail[]){
            DETAIL("retrans:", read_retrans),
            DETAIL("rto:", read_rto),
            DETAIL("rtt:", read_rtt),
            DETAIL("rwnd_limited:", read_rwnd_limited),
            { NULL },
        },
    ['s' - 'a'] =
        (const struct detail[]){
            DETAIL("segs_in:", pass_over),
            DETAIL("segs_out:", pass_over),
            DETAIL("sk:", read_cookie),
            DETAIL("skmem:", read_memory),
            DETAIL("snd_wnd:", read_snd_wnd),
            { NULL },
        },
    ['t' - 'a'] =
        (const struct detail[]){
            DETAIL("timer:", read_timer),
            { NULL },
        },
    ['u' - 'a'] =
        (const struct detail[]){
            DETAIL("uid:", read_uid),
            DETAIL("unacked:", read_unacked),
            DETAIL("users:", read_users),
            { NULL },
        },
    ['w' - 'a'] =
        (const struct detail[]){
            DETAIL("wscale:", pass_over),
            { NULL },
        },
};
#undef DETAIL

/* Finds a detail by its name, which includes the colon. */
static const struct detail *find_detail(const char *name, size_t length)
{
    size_t letter = (size_t)(unsigned char)name[0] - 'a';
    if (letter >= sizeof details / sizeof *details || details[letter] == NULL)
        return NULL;
    for (const struct detail *detail = details[letter]; detail->name != NULL; detail++) {
        if (detail->length == length && memcmp(detail->name, name, length) == 0)
            return detail;
    }
    return NULL;
}

/*
 * "<->", "<--", "---": a dash instead of an arrowhead shows that the direction is shut; first receiving, then sending.
 */
static bool read_arrow(const struct token *word, struct conn *conn)
{
    const char *text = word->text;
    if (word->length != 3 || text[1] != '-' || (text[0] != '<' && text[0] != '-') || (text[2] != '>' && text[2] != '-'))
        return false;
    conn->shutdown = (uint8_t)((text[0] == '-' ? SHUTDOWN_RECEIVE : 0) | (text[2] == '-' ? SHUTDOWN_SEND : 0));
    conn->present |= CONN_SHUTDOWN;
    return true;
}

static bool read_detail(struct capture *capture, const struct token *word, struct conn *conn)
{
    const char *colon = memchr(word->text, ':', word->length);
    if (colon == NULL)
        return read_arrow(word, conn);
    const struct detail *detail = find_detail(word->text, (size_t)(colon - word->text) + 1);
    if (detail != NULL)
        detail->read(capture, colon + 1, conn);
    return detail != NULL;
}

unsigned ss_read_details(struct capture *capture, const char *text, size_t length, struct conn *conn)
{
    enum { AT_ONCE = 16 };
    const char *const end = text + length;
    unsigned understood = 0;
    while (text < end) {
        struct token words[AT_ONCE];
        unsigned count = tokens_split(text, (size_t)(end - text), words, AT_ONCE, &text);
        for (unsigned i = 0; i < count; i++) {
            understood += read_detail(capture, &words[i], conn);
            if (!token_starts(&words[i], "users:(("))
                continue;
            const char *behind = strstr(words[i].text, "))"); /* names may contain blanks */
            text = behind != NULL ? behind + 2 : end;
            break;
        }
    }
    return understood;
}

/* In other states the kernel always has a timer. If the row shows none, ss did not print timers. */
static bool may_lack_timer(const struct conn *conn)
{
    static const uint32_t states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) |
        STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_CLOSED);
    return (states & STATE_BIT(conn->state)) != 0;
}

/* ss does not print zero. If some row shows a value, it is zero in rows without it; the same holds for timers. */
void ss_end_part(struct capture *capture)
{
    struct ss *ss = capture->state;
    struct snapshot *snapshot = capture->snapshot;
    for (size_t i = ss->part; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        if (ss->shows_timers && may_lack_timer(conn))
            conn->present |= CONN_TIMER;
        capture->present |= conn->present & CONN_TIMER;
        if (!conn_has(conn, CONN_TCP_INFO))
            continue;
        conn->present |= (ss->shows_snd_wnd ? CONN_SND_WND : 0) | (ss->shows_bytes ? CONN_BYTES : 0);
    }
    ss->part = snapshot->conn_count;
    ss->shows_timers = ss->shows_snd_wnd = ss->shows_bytes = false;
}
