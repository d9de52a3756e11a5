/* Single connections: as a table if it fits, else one below the other. */

#include "base/text.h"
#include "report/text/parts.h"

enum { COLUMN_STATE, COLUMN_LOCAL, COLUMN_PEER, COLUMN_RECV_Q, COLUMN_SEND_Q, COLUMN_AGE, COLUMN_COUNT };
enum { FEW = 3, GUTTER = 2 };

static const char *const headers[COLUMN_COUNT] = { "state", "local", "peer", "Recv-Q", "Send-Q", "age" };

struct cells {
    struct buf columns[COLUMN_COUNT];
};

static void cells_fill(struct cells *cells, const struct snapshot *snapshot, const struct conn *conn)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        buf_clear(&cells->columns[i]);
    struct buf *columns = cells->columns;
    buf_str(&columns[COLUMN_STATE], state_name((enum conn_state)conn->state));
    ip_port_format(&columns[COLUMN_LOCAL], &conn->local, conn->local_port);
    ip_port_format(&columns[COLUMN_PEER], &conn->remote, conn->remote_port);
    if (conn_has(conn, CONN_QUEUES)) {
        text_count(&columns[COLUMN_RECV_Q], conn->recv_q_bytes);
        text_count(&columns[COLUMN_SEND_Q], conn->send_q_bytes);
    } else {
        buf_str(&columns[COLUMN_RECV_Q], "?");
        buf_str(&columns[COLUMN_SEND_Q], "?");
    }
    struct age age = conn_age(snapshot, conn);
    if (age.kind == AGE_UNKNOWN) {
        buf_str(&columns[COLUMN_AGE], "?");
        return;
    }
    if (age.kind == AGE_AT_LEAST)
        buf_str(&columns[COLUMN_AGE], "≥ ");
    text_duration(&columns[COLUMN_AGE], age.ms);
}

static void cells_deinit(struct cells *cells)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        buf_deinit(&cells->columns[i]);
}

static void table_row(
    struct flow *flow, enum style style, const char *const *texts, const size_t *widths, size_t column)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        bool number = i == COLUMN_RECV_Q || i == COLUMN_SEND_Q;
        size_t width = flow_width_of(flow, texts[i]);
        flow_column(flow, column + (number && width < widths[i] ? widths[i] - width : 0));
        flow_verbatim(flow, style, texts[i]);
        column += widths[i] + GUTTER;
    }
    flow_line(flow);
}

/* "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122, Recv-Q 0, Send-Q 0, age ≥ 4 h 12 min" */
static void flowing_row(struct flow *flow, const char *const *texts)
{
    flow_column(flow, BODY_COLUMN);
    flow->indent = BODY_COLUMN + 2;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i >= COLUMN_RECV_Q)
            flow_printf(flow, STYLE_DIM, ", %s\xc2\xa0", headers[i]);
        else if (i > 0)
            flow_text(flow, STYLE_PLAIN, " ");
        flow_unbroken(flow, STYLE_PLAIN, texts[i]);
    }
    flow_line(flow);
}

static void texts_of(const struct cells *cells, const char **texts)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        texts[i] = buf_text(&cells->columns[i]);
}

void text_conns(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding, bool all)
{
    if (finding->conn_count == 0 || (finding->conn_count > FEW && !all))
        return;
    const struct snapshot *snapshot = diagnosis->snapshot;
    struct cells cells = { 0 };
    const char *texts[COLUMN_COUNT];
    size_t widths[COLUMN_COUNT], total = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        widths[i] = text_width(headers[i]);
    for (uint64_t i = 0; i < finding->conn_count; i++) {
        cells_fill(&cells, snapshot, &snapshot->conns[finding->conns[i]]);
        texts_of(&cells, texts);
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            size_t width = flow_width_of(flow, texts[c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        total += widths[i] + (i > 0 ? GUTTER : 0);

    /* The table begins beside the label or further left below it. If neither fits, there is no table. */
    size_t start = BODY_COLUMN + total <= flow->width ? BODY_COLUMN : 2 * LABEL_COLUMN;
    bool table = start + total <= flow->width;
    text_label(flow, finding->conn_count == 1 ? "Socket" : "Sockets");
    if (table && start < BODY_COLUMN)
        flow_fresh_line(flow);
    if (table)
        table_row(flow, STYLE_DIM, headers, widths, start);
    for (uint64_t i = 0; i < finding->conn_count; i++) {
        cells_fill(&cells, snapshot, &snapshot->conns[finding->conns[i]]);
        texts_of(&cells, texts);
        if (table)
            table_row(flow, STYLE_PLAIN, texts, widths, start);
        else
            flowing_row(flow, texts);
    }
    cells_deinit(&cells);
}
