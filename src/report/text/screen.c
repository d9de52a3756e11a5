#include "report/text/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/text/change.h"
#include "report/text/parts.h"

/* --- lines ------------------------------------------------------------------------------------------------------ */

/* A part of the screen that is laid out already. */
struct part {
    char *text;
    size_t size;
    FILE *memory;
    struct flow flow;
};

static struct flow *part_begin(struct part *part, const struct report_options *options)
{
    *part = (struct part){ 0 };
    part->memory = xnonnull(open_memstream(&part->text, &part->size));
    flow_init(&part->flow, &options->style, part->memory);
    return &part->flow;
}

static void part_end(struct part *part)
{
    (void)flow_finish(&part->flow);
    if (fclose(part->memory) != 0)
        out_of_memory();
}

/*
 * The rows that a line takes. The report does not break commands, so the terminal wraps them. Colours take no columns.
 */
static size_t rows_of(const char *line, size_t length, size_t columns)
{
    struct buf shown = { 0 };
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\033') {
            while (i < length && line[i] != 'm')
                i++;
        } else {
            buf_char(&shown, line[i]);
        }
    }
    size_t width = text_width(buf_text(&shown));
    buf_deinit(&shown);
    return width == 0 ? 1 : (width + columns - 1) / columns;
}

static const char *next_line(const char *line)
{
    size_t length = strcspn(line, "\n");
    return line + length + (line[length] == '\n');
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text = next_line(text))
        count++;
    return count;
}

/* Appends lines that fit into `room` rows, from number `from` on. Returns the rows that are left. */
static size_t put_lines(struct buf *out, const char *text, size_t from, size_t room, size_t columns)
{
    for (; from > 0 && *text != '\0'; from--)
        text = next_line(text);
    for (; *text != '\0'; text = next_line(text)) {
        size_t length = strcspn(text, "\n"), rows = rows_of(text, length, columns);
        if (rows > room)
            break;
        buf_printf(out, "%.*s\n", (int)length, text);
        room -= rows;
    }
    return room;
}

static void pad(struct buf *out, size_t rows)
{
    for (; rows > 0; rows--)
        buf_char(out, '\n');
}

/* --- parts ------------------------------------------------------------------------------------------------------ */

static void states_in_words(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous)
{
    const char *between = "";
    flow_line(flow);
    flow_column(flow, LABEL_COLUMN);
    flow->indent = LABEL_COLUMN;
    for (int state = 0; state < STATE_COUNT; state++) {
        uint64_t now = diagnosis->by_state[state], before = previous != NULL ? previous->by_state[state] : now;
        if (now == 0 && before == 0)
            continue;
        struct buf item = { 0 };
        buf_printf(&item, "%s\xc2\xa0", state_name((enum conn_state)state));
        text_count(&item, now);
        if (now != before)
            buf_str(&item, "\xc2\xa0");
        change_format(&item, now, before);
        flow_text(flow, STYLE_DIM, between);
        flow_text(flow, now != before ? STYLE_BOLD : STYLE_PLAIN, buf_text(&item));
        between = " · ";
        buf_deinit(&item);
    }
    flow_line(flow);
}

static void top(struct part *part, const struct diagnosis *diagnosis, const struct report_options *options,
    const struct screen_view *view)
{
    struct flow *flow = part_begin(part, options);
    text_headline(flow, diagnosis, options->tool_version);
    if (options->previous != NULL)
        change_summary(flow, diagnosis, options->previous);
    if (view->is_paused) {
        flow_text(flow, STYLE_WARNING, "Paused");
        flow_text(flow, STYLE_DIM, " · space goes on");
        flow_line(flow);
    }
    text_whole_verdict(flow, diagnosis);
    part_end(part);
}

static void bottom(struct part *part, const struct report_options *options, const struct screen_view *view, bool is_cut)
{
    static const char *const keys[] = { [SCREEN_FINDINGS] = "↑↓ choose · ↵ opens · space pauses · ? keys · q ends",
        [SCREEN_CARD] = "↑↓ scroll · ← back · n next · v all · ? keys · q ends",
        [SCREEN_KEYS] = "← back · q ends" };
    struct report_options ascii = *options;
    struct flow *flow = part_begin(part, &ascii);
    if (is_cut)
        flow_text(flow, STYLE_BOLD, "… more · ");
    flow_text(flow, STYLE_DIM, "every ");
    flow_duration(flow, STYLE_DIM, view->interval_ms);
    flow_text(flow, STYLE_DIM, " · ");
    flow_text(flow, STYLE_DIM, view->reads_keys ? keys[view->page] : "Ctrl-C ends");
    part_end(part);
}

static void key_list(struct part *part, const struct report_options *options)
{
    static const char *const keys[][2] = {
        { "↑ ↓, k j", "choose a finding; in a card: scroll" },
        { "1 to 9", "open this finding" },
        { "↵, →", "open the chosen finding: who, what to do now, why" },
        { "←, Esc", "back to the list" },
        { "n, p", "the card of the next finding, of the one before" },
        { "v", "the card with everything, or short again" },
        { "PgUp PgDn", "a page" },
        { "Home End", "the first, the last" },
        { "space", "pause: the same snapshot stays; again: go on" },
        { "?", "these keys" },
        { "q, Ctrl-C", "end; the exit status is the last verdict" },
    };
    struct flow *flow = part_begin(part, options);
    flow_line(flow);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        flow_column(flow, LABEL_COLUMN);
        flow_text(flow, STYLE_BOLD, keys[i][0]);
        flow_column(flow, BODY_COLUMN + 2);
        flow->indent = BODY_COLUMN + 2;
        flow_text(flow, STYLE_PLAIN, keys[i][1]);
        flow_line(flow);
    }
    flow_line(flow);
    flow_text(flow, STYLE_PLAIN,
        "▲ more, ▼ fewer than in the report before; new: a finding that was not there. WHAT TO DO is the first step.");
    flow_line(flow);
    part_end(part);
}

/* --- pages ------------------------------------------------------------------------------------------------------ */

enum { TITLE_LINES = 2 }; /* of the list of findings: an empty line, the titles */

/* The first line of the window that shows the chosen one of `count` lines. */
static size_t window_start(size_t chosen, size_t count, size_t room)
{
    if (count <= room || chosen <= room / 2)
        return 0;
    size_t start = chosen - room / 2;
    return start + room > count ? count - room : start;
}

/* The list of findings in `room` rows, so that the chosen one is seen. Returns the rows that are left. */
static size_t put_findings(
    const struct part *list, const struct screen_view *view, struct buf *out, size_t room, bool *ret_is_cut)
{
    size_t lines = count_lines(list->text);
    if (lines <= TITLE_LINES || room <= TITLE_LINES) {
        *ret_is_cut = lines > room;
        return room;
    }
    size_t count = lines - TITLE_LINES, seen = room - TITLE_LINES < count ? room - TITLE_LINES : count;
    size_t left = put_lines(out, list->text, 0, TITLE_LINES, view->columns);
    size_t start = window_start(view->chosen > 0 ? view->chosen - 1 : 0, count, seen);
    left = put_lines(out, list->text, TITLE_LINES + start, seen, view->columns) + left;
    *ret_is_cut = seen < count;
    return room - TITLE_LINES - seen + left;
}

static void findings_page(const struct diagnosis *diagnosis, const struct report_options *options,
    const struct screen_view *view, struct buf *out)
{
    enum { BELOW = 2 };
    struct part head, bars, words, list, gone, foot;
    struct report_options marked = *options;
    marked.chosen = view->reads_keys ? view->chosen : 0;
    top(&head, diagnosis, options, view);
    text_states(part_begin(&bars, options), diagnosis, options->previous);
    part_end(&bars);
    states_in_words(part_begin(&words, options), diagnosis, options->previous);
    part_end(&words);
    text_index(part_begin(&list, &marked), diagnosis, &marked);
    part_end(&list);
    struct flow *flow = part_begin(&gone, options);
    if (options->previous != NULL)
        change_gone(flow, diagnosis, options->previous);
    part_end(&gone);

    size_t room = view->rows > BELOW ? view->rows - BELOW : 1;
    size_t needed = count_lines(head.text) + count_lines(bars.text) + count_lines(list.text) + count_lines(gone.text);
    bool is_cut = false, has_room = needed <= room;
    room = put_lines(out, head.text, 0, room, view->columns);
    room = put_lines(out, has_room ? bars.text : words.text, 0, room, view->columns);
    room = put_findings(&list, view, out, room, &is_cut);
    room = put_lines(out, gone.text, 0, room, view->columns);
    bottom(&foot, options, view, is_cut);
    pad(out, room + 1);
    buf_printf(out, "%.*s", (int)strcspn(foot.text, "\n"), foot.text);
    const struct part *parts[] = { &head, &bars, &words, &list, &gone, &foot };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]->text);
}

/* A text that can be scrolled. */
static void scrolled_page(
    const struct part *body, const struct report_options *options, struct screen_view *view, struct buf *out)
{
    struct part foot;
    size_t room = view->rows > 1 ? view->rows - 1 : 1, lines = count_lines(body->text);
    size_t left;
    struct buf shown = { 0 };
    if (view->scroll >= lines)
        view->scroll = lines > 0 ? lines - 1 : 0;
    do { /* the screen is filled where there is enough to fill it */
        buf_clear(&shown);
        left = put_lines(&shown, body->text, view->scroll, room, view->columns);
    } while (left > 0 && view->scroll > 0 && view->scroll-- > 0);
    bool is_cut = view->scroll + count_lines(buf_text(&shown)) < lines;
    buf_str(out, buf_text(&shown));
    pad(out, left);
    bottom(&foot, options, view, is_cut);
    buf_printf(out, "%.*s", (int)strcspn(foot.text, "\n"), foot.text);
    free(foot.text);
    buf_deinit(&shown);
}

void screen_write(
    const struct diagnosis *diagnosis, const struct report_options *options, struct screen_view *view, struct buf *out)
{
    struct part body;
    if (view->chosen > diagnosis->finding_count)
        view->chosen = diagnosis->finding_count;
    if (view->chosen == 0 && diagnosis->finding_count > 0)
        view->chosen = 1;
    if (view->page == SCREEN_CARD && view->chosen == 0)
        view->page = SCREEN_FINDINGS;
    if (view->page == SCREEN_FINDINGS) {
        findings_page(diagnosis, options, view, out);
        return;
    }
    if (view->page == SCREEN_KEYS) {
        key_list(&body, options);
    } else {
        struct flow *flow = part_begin(&body, options);
        if (view->is_whole)
            text_finding(flow, diagnosis, view->chosen, options, false);
        else
            text_finding_steps(flow, diagnosis, view->chosen, options);
        part_end(&body);
    }
    scrolled_page(&body, options, view, out);
    free(body.text);
}
