/*
 * What TCPView saves and tcpvcon -c prints (Sysinternals):
 *
 *   appsvc.exe <tab> 2312 <tab> TCP <tab> appsrv7 <tab> 49200 <tab> dbsrv2 <tab> ms-sql-s <tab> CLOSE_WAIT
 *   appsvc.exe <tab> 2312 <tab> TCP <tab> Established <tab> 192.0.2.1 <tab> 49200 <tab> 192.0.2.7 <tab> 1433 <tab> …
 *   TCP,appsvc.exe,2312,ESTABLISHED,192.0.2.1:49200,192.0.2.7:1433
 *
 * The order of the columns differs between versions. The positions of the protocol and the state show which it is.
 */
#include "source/capture/formats/tcpview.h"

enum { CELLS_MAX = 12, NAME_AT = 0, PID_AT = 1, PROTOCOL_AT = 2, OLD_CELLS = 8, END_MAX = 255 };

static unsigned split(const char *text, char separator, struct token *cells)
{
    unsigned count = 0;
    while (count < CELLS_MAX) {
        const char *end = strchrnul(text, separator);
        cells[count++] = (struct token){ text, (size_t)(end - text) };
        if (*end == '\0')
            break;
        text = end + 1;
    }
    struct token *last = &cells[count - 1];
    while (last->length > 0 && last->text[last->length - 1] <= ' ')
        last->length--;
    return count;
}

/* The cells of a row; endpoints as "address:port". */
struct row {
    struct token name, pid, state, local, remote;
};

/* Joins two cells to an endpoint. */
static bool join_end(
    const struct token *address, const struct token *port, char out[END_MAX + 1], struct token *ret_end)
{
    bool is_ipv6 = memchr(address->text, ':', address->length) != NULL && address->text[0] != '[';
    int length = snprintf(out, END_MAX + 1, is_ipv6 ? "[%.*s]:%.*s" : "%.*s:%.*s", (int)address->length, address->text,
        (int)port->length, port->text);
    *ret_end = (struct token){ out, (size_t)length };
    return length > 0 && length <= END_MAX;
}

/* Reads a row of tcpvcon -c, where the endpoints contain the ports. */
static bool read_csv(const struct token *cells, unsigned count, struct row *row)
{
    if (count < 6)
        return false;
    *row = (struct row){ cells[1], cells[2], cells[3], cells[4], cells[5] };
    return true;
}

static bool read_saved(struct capture *capture, const struct token *cells, unsigned count, char near[END_MAX + 1],
    char far[END_MAX + 1], struct row *row)
{
    if (count < OLD_CELLS)
        return false;
    const struct token *fourth = &cells[PROTOCOL_AT + 1];
    bool state_first = state_words_find(&capture->state_words, fourth->text, fourth->length) != STATE_UNKNOWN;
    const struct token *ends = fourth + state_first;
    *row = (struct row){ .name = cells[NAME_AT], .pid = cells[PID_AT], .state = state_first ? *fourth : ends[4] };
    return join_end(&ends[0], &ends[1], near, &row->local) && join_end(&ends[2], &ends[3], far, &row->remote);
}

static bool is_protocol(const struct token *cell, const char *name)
{
    return token_starts(cell, name) && cell->length <= strlen("TCPv6");
}

static enum line_kind add(struct capture *capture, const struct row *row, bool is_v6)
{
    struct conn *conn = capture_draft(capture);
    uint64_t pid;
    conn->ipv6 = is_v6;
    enum line_kind kind = capture_ends(capture, &row->local, &row->remote, ':', conn);
    if (kind != LINE_ROW)
        return kind;
    conn->state = (uint8_t)capture_state(capture, &row->state, conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    if (conn->state == STATE_LISTEN) /* some versions show the host's name and port 0 as the remote end */
        conn->remote_port = 0;
    capture_add(capture);
    if (token_number(&row->pid, UINT32_MAX, &pid) && pid != 0)
        capture_hold(capture, conn, (uint32_t)pid, row->name.text, row->name.length, FD_UNKNOWN);
    return LINE_ROW;
}

enum line_kind tcpview_row(struct capture *capture, const struct line *line)
{
    struct token cells[CELLS_MAX];
    struct row row;
    char near[END_MAX + 1], far[END_MAX + 1];
    bool csv = strncmp(line->text, "TCP", 3) == 0 || strncmp(line->text, "UDP", 3) == 0;
    unsigned count = split(line->text, csv ? ',' : '\t', cells);
    const struct token *protocol = &cells[csv ? 0 : PROTOCOL_AT];
    if (count < 5)
        return LINE_OTHER;
    if (is_protocol(protocol, "UDP"))
        return LINE_FOREIGN;
    if (!is_protocol(protocol, "TCP"))
        return LINE_OTHER;
    if (!(csv ? read_csv(cells, count, &row) : read_saved(capture, cells, count, near, far, &row)))
        return LINE_MALFORMED;
    return add(capture, &row, protocol->length == strlen("TCPv6") && protocol->text[protocol->length - 1] == '6');
}
