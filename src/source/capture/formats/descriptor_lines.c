/*
 * The descriptors of a process, as ls -l /proc/PID/fd lists them or wc -l counts them, and the limit that stands beside
 * (/proc/PID/limits, ulimit -n).
 *
 *   lrwx------ 1 tomcat7 tomcat7 64 Feb 22 19:23 90 -> socket:[23049313]
 */
#include "source/capture/formats/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "base/text.h"

enum { MODE_LENGTH = 10, FD_MAX = 1 << 30, TARGET_AT = 4 };

/* The PID in "/proc/812/fd" or "/proc/812/limits", or 0. */
static uint32_t pid_of_path(const char *text, const char *what, bool *ret_found)
{
    *ret_found = false;
    for (const char *at = text; (at = strstr(at, "/proc/")) != NULL; at++) {
        const char *word = at + strlen("/proc/");
        size_t length = strcspn(word, "/ \t");
        const char *rest = word + length + (word[length] == '/');
        size_t most = strlen(what);
        if (length == 0 || word[length] != '/' || strncmp(rest, what, most) != 0 ||
            strchr("/: \t|;*\"'", rest[most]) == NULL)
            continue;
        struct token token = { word, length };
        uint64_t pid;
        *ret_found = true;
        return token_number(&token, UINT32_MAX - 1, &pid) ? (uint32_t)pid : 0;
    }
    return 0;
}

/* The list of that process, or a new one. */
static struct descriptor_list *list_of(struct numbers *numbers, uint32_t pid)
{
    struct descriptor_list *lists = numbers->descriptors;
    unsigned at = 0;
    while (at < numbers->descriptor_lists && (pid == 0 || lists[at].pid != pid))
        at++;
    numbers->descriptor_list = at < DESCRIPTOR_LISTS_MAX ? at + 1 : DESCRIPTOR_LISTS_MAX;
    if (at == numbers->descriptor_lists || at == DESCRIPTOR_LISTS_MAX)
        lists[numbers->descriptor_list - 1] = (struct descriptor_list){ .pid = pid };
    if (at == numbers->descriptor_lists && at < DESCRIPTOR_LISTS_MAX)
        numbers->descriptor_lists++;
    return &lists[numbers->descriptor_list - 1];
}

/* Begins a list. A second list of a process replaces the first. */
static struct descriptor_list *begin_list(struct numbers *numbers, uint32_t pid)
{
    struct descriptor_list *list = list_of(numbers, pid);
    uint32_t index = (uint32_t)(list - numbers->descriptors);
    size_t kept = 0;
    for (size_t i = 0; i < numbers->link_count && list->open > 0; i++) {
        if (numbers->links[i].list != index)
            numbers->links[kept++] = numbers->links[i];
    }
    numbers->link_count = list->open > 0 ? kept : numbers->link_count;
    *list = (struct descriptor_list){ .pid = pid };
    return list;
}

/* Stores "socket:[23049313]", so that the process can be joined to the row with that inode. */
static void add_link(struct numbers *numbers, const char *target, uint32_t fd)
{
    struct token inode = { target, strspn(target, "0123456789") };
    uint64_t number;
    if (inode.text[inode.length] != ']' || !token_number(&inode, UINT32_MAX, &number))
        return;
    struct socket_link *link = vec_add(
        (void **)&numbers->links, &numbers->link_count, &numbers->link_capacity, sizeof *numbers->links);
    *link = (struct socket_link){ .inode = (uint32_t)number, .fd = fd, .list = numbers->descriptor_list - 1 };
}

static struct descriptor_list *current_list(struct numbers *numbers)
{
    return numbers->descriptor_list > 0 ? &numbers->descriptors[numbers->descriptor_list - 1] : NULL;
}

/* "… 90 -> socket:[23049313]": the number and what it leads to. */
static bool parse_link(const char *text, const char **ret_target, uint64_t *ret_fd, struct token *ret_user)
{
    if (text[0] != 'l' || strspn(text, "lrwx-") != MODE_LENGTH)
        return false;
    const char *arrow = strstr(text, " -> ");
    if (arrow == NULL)
        return false;
    const char *number = arrow;
    while (number > text && number[-1] >= '0' && number[-1] <= '9')
        number--;
    struct token word = { number, (size_t)(arrow - number) }, words[3];
    *ret_target = arrow + TARGET_AT;
    *ret_user = tokens_split(text, (size_t)(arrow - text), words, 3, NULL) == 3 ? words[2] : (struct token){ 0 };
    return number > text && number[-1] == ' ' && token_number(&word, FD_MAX, ret_fd);
}

static bool read_link(struct capture *capture, const char *text)
{
    struct numbers *numbers = &capture->numbers;
    const char *target;
    struct token user;
    uint64_t fd;
    if (!parse_link(text, &target, &fd, &user))
        return false;
    struct descriptor_list *list = current_list(numbers);
    if (list == NULL)
        list = begin_list(numbers, 0);
    list->lowest = list->open == 0 || fd < list->lowest ? (uint32_t)fd : list->lowest;
    list->open++;
    if (strncmp(target, "socket:[", strlen("socket:[")) == 0) {
        list->sockets++;
        add_link(numbers, target + strlen("socket:["), (uint32_t)fd);
    }
    list->highest = fd > list->highest ? (uint32_t)fd : list->highest;
    if (list->user == NULL && user.length > 0)
        list->user = arena_strndup(&capture->snapshot->arena, user.text, user.length);
    return true;
}

/* "987" below "ls /proc/812/fd | wc -l". */
static bool read_number(struct numbers *numbers, const char *text)
{
    uint64_t number;
    enum descriptor_question asked = numbers->descriptor_question;
    numbers->descriptor_question = DESCRIPTORS_NOT_ASKED;
    if (asked == DESCRIPTORS_NOT_ASKED || text_parse_number(text, FD_MAX, &number) < 0)
        return false;
    struct descriptor_list *list = list_of(numbers, numbers->descriptor_pid);
    if (asked == DESCRIPTORS_AND_TOTAL && number > 0)
        number--; /* the line "total 0" of ls -l */
    if (asked == DESCRIPTORS_OF_SOCKETS)
        list->sockets = (uint32_t)number;
    list->open = asked == DESCRIPTORS_OF_SOCKETS && list->open > number ? list->open : (uint32_t)number;
    return true;
}

/* Examines a command about the descriptors of a process, or the heading that ls prints above them. */
static bool note_command(struct numbers *numbers, const char *text)
{
    bool is_list, is_limits;
    uint32_t pid = pid_of_path(text, "fd", &is_list), limited = pid_of_path(text, "limits", &is_limits);
    if (is_limits)
        numbers->limits_pid = limited;
    if (!is_list)
        return false;
    numbers->descriptor_pid = pid;
    bool by_grep = strstr(text, "grep -c") != NULL; /* which does not count the line "total 0" */
    if (strstr(text, "wc -l") != NULL || by_grep)
        numbers->descriptor_question = strstr(text, "socket") != NULL ? DESCRIPTORS_OF_SOCKETS
            : by_grep                                                 ? DESCRIPTORS_ALL
            : strstr(text, "ls -l") != NULL                           ? DESCRIPTORS_AND_TOTAL
                                                                      : DESCRIPTORS_ALL;
    else if (strstr(text, "ls ") != NULL || text[strlen(text) - 1] == ':')
        begin_list(numbers, pid);
    return false;
}

bool descriptor_line(struct capture *capture, const struct line *line)
{
    enum { LENGTH_MAX = 1024 };
    struct numbers *numbers = &capture->numbers;
    const char *text = line->text + strspn(line->text, " \t");
    if (line->length > LENGTH_MAX || *text == '\0')
        return false;
    if (!read_link(capture, text) && !read_number(numbers, text))
        return note_command(numbers, text);
    numbers->descriptor_lines++;
    numbers_note_os(capture, "linux");
    return true;
}

/* --- when all is read --------------------------------------------------------------------------------------------- */

static uint32_t find_process(struct capture *capture, const struct descriptor_list *list)
{
    if (list->pid != 0)
        return capture_process(capture, list->pid, "", 0);
    if (capture->snapshot->process_count == 1)
        return 0;
    struct arena *arena = &capture->snapshot->arena;
    const char *name = list->user != NULL ? arena_printf(arena, "a process of %s", list->user)
                                          : "a process that is not named";
    return capture_process(capture, 0, name, strlen(name));
}

static uint32_t at_least_open(const struct process *process)
{
    return process->fds_open > process->tcp_sockets ? process->fds_open : process->tcp_sockets;
}

static void set_limit(struct process *process, uint32_t soft, uint32_t hard)
{
    process->fds_open = at_least_open(process);
    process->fds_limit = soft;
    process->fds_hard = hard;
}

/*
 * The limit of a shell is used for a process that has at least half as many descriptors open, and not more than it
 * allows: otherwise it is probably not the limit of the process.
 */
static void set_limit_of_shell(struct capture *capture, uint32_t limit)
{
    struct snapshot *snapshot = capture->snapshot;
    bool is_used = false;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        struct process *process = &snapshot->processes[i];
        uint32_t open = at_least_open(process);
        if (process->fds_limit != 0 || open > limit || open * 2ULL < limit)
            continue;
        set_limit(process, limit, 0);
        is_used = true;
    }
    if (is_used)
        snapshot_note_gap(snapshot, GAP_LIMIT_OF_SHELL,
            "the limit of descriptors in this text is that of the shell that ran ulimit: a process may have another, "
            "and may have more open than is shown",
            NULL);
}

/* Every program has its numbers 0 to 2 for something. */
static void note_cut_list(struct capture *capture, const struct descriptor_list *list)
{
    enum { FIRST = 3 };
    if (list->lowest < FIRST)
        return;
    struct buf text = { 0 };
    buf_str(&text, "the list of descriptors is cut: it shows ");
    text_count(&text, list->open);
    buf_printf(&text, " of them, from number %u on; up to the highest, %u, about ", list->lowest, list->highest);
    text_count(&text, list->highest + 1ULL);
    buf_str(&text, " are open");
    snapshot_note_gap(capture->snapshot, GAP_ROWS_LEFT_OUT, buf_text(&text), "ask for: ls -l /proc/PID/fd, as root");
    buf_deinit(&text);
}

/* The row with this inode, or NULL. */
static struct conn *find_conn(const struct snapshot *snapshot, const struct hash_index *inodes, uint32_t inode)
{
    struct hash_walk walk = hash_index_walk(inodes, hash_number(inode));
    for (uint32_t index; (index = hash_walk_next(inodes, &walk)) != HASH_NONE;) {
        if (snapshot->conns[index].inode == inode)
            return &snapshot->conns[index];
    }
    return NULL;
}

/*
 * Joins the descriptors to the rows that show inodes ("ss -e", "netstat -e"): the process holds these connections. A
 * list without a PID is of the process that the rows name.
 */
static void join_links(struct capture *capture)
{
    const struct numbers *numbers = &capture->numbers;
    struct snapshot *snapshot = capture->snapshot;
    struct hash_index inodes = { 0 };
    uint32_t owners[DESCRIPTOR_LISTS_MAX];
    for (size_t i = 0; i < snapshot->conn_count && numbers->link_count > 0; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn_has(conn, CONN_INODE) && conn->inode != 0)
            hash_index_add(&inodes, hash_number(conn->inode), (uint32_t)i);
    }
    for (unsigned i = 0; i < DESCRIPTOR_LISTS_MAX; i++)
        owners[i] = NO_INDEX;
    for (size_t i = 0; i < numbers->link_count; i++) {
        const struct socket_link *link = &numbers->links[i];
        struct conn *conn = find_conn(snapshot, &inodes, link->inode);
        if (conn == NULL)
            continue;
        const struct process *owner = snapshot_owner(snapshot, conn);
        if (owners[link->list] == NO_INDEX && owner != NULL && numbers->descriptors[link->list].pid == 0)
            owners[link->list] = (uint32_t)(owner - snapshot->processes);
        if (owners[link->list] == NO_INDEX)
            owners[link->list] = find_process(capture, &numbers->descriptors[link->list]);
        if (conn->holder == NO_INDEX)
            pids_hold(snapshot, conn, owners[link->list], link->fd);
    }
    hash_index_deinit(&inodes);
}

void descriptors_settle(struct capture *capture)
{
    const struct numbers *numbers = &capture->numbers;
    struct snapshot *snapshot = capture->snapshot;
    join_links(capture);
    for (unsigned i = 0; i < numbers->descriptor_lists; i++) {
        const struct descriptor_list *list = &numbers->descriptors[i];
        uint32_t index = list->open > 0 ? find_process(capture, list) : NO_INDEX;
        if (index == NO_INDEX)
            continue;
        struct process *process = &snapshot->processes[index];
        process->fds_open = process->fds_open > list->open ? process->fds_open : list->open;
        process->fds_sockets = process->fds_sockets > list->sockets ? process->fds_sockets : list->sockets;
        process->user = process->user != NULL ? process->user : list->user;
        note_cut_list(capture, list);
    }
    if (numbers->files_limit == 0)
        return;
    for (size_t i = 0; i < snapshot->process_count && numbers->limits_are_of_process; i++) {
        struct process *process = &snapshot->processes[i];
        if (process->pid == numbers->limits_pid || snapshot->process_count == 1)
            set_limit(process, numbers->files_limit, numbers->files_hard);
    }
    if (!numbers->limits_are_of_process)
        set_limit_of_shell(capture, numbers->files_limit);
}
