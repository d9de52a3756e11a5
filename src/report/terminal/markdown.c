#include "report/terminal/markdown.h"

#include <errno.h>
#include <md4c.h>
#include <string.h>

#include "report/terminal/styled.h"
#include "report/terminal/markdown_table.h"

enum {
    BODY_INDENT = 2, /* of everything except headings */
    CODE_INDENT = 2, /* of code blocks, in addition to the indent of the text around them */
    TAB_WIDTH = 4,
    DEPTH_MAX = 16, /* nested lists and quotes; deeper ones are not indented further */
    MIN_WIDTH = 16  /* the least width of text, at any depth */
};

/* A block quote or a list item, with the marker before its lines. */
struct container {
    bool is_quote;
    bool is_tight;
    bool has_marker; /* the item's bullet has not been written yet */
    char marker[16];
    size_t indent; /* columns of the marker */
    unsigned next_number;
};

struct renderer {
    const struct report_style *style;
    struct buf *out;
    struct buf text; /* styled: the paragraph, heading or cell being read */
    struct buf code; /* the code block being read */
    bool in_code;
    bool needs_blank; /* an empty line is due before the next block */
    unsigned depth;
    struct container containers[DEPTH_MAX];
    struct markdown_table table;
    struct markdown_table_cell *cell; /* the cell that is being read, or NULL */
};

static struct container *innermost(struct renderer *renderer)
{
    unsigned depth = renderer->depth < DEPTH_MAX ? renderer->depth : DEPTH_MAX;
    return depth > 0 ? &renderer->containers[depth - 1] : NULL;
}

static void container_begin(struct renderer *renderer, struct container container)
{
    if (renderer->depth < DEPTH_MAX)
        renderer->containers[renderer->depth] = container;
    renderer->depth++;
}

/* Appends the indentation and the markers that begin a line of the body. Returns their width in columns. */
static size_t add_prefix(struct renderer *renderer, struct buf *out)
{
    size_t columns = BODY_INDENT;
    buf_repeat(out, " ", BODY_INDENT);
    for (unsigned i = 0; i < renderer->depth && i < DEPTH_MAX; i++) {
        struct container *container = &renderer->containers[i];
        if (container->is_quote || container->has_marker)
            buf_str(out, container->marker);
        else
            buf_repeat(out, " ", container->indent);
        container->has_marker = false;
        columns += container->indent;
    }
    return columns;
}

static void add_blank(struct renderer *renderer)
{
    if (renderer->needs_blank && renderer->out->length > 0)
        buf_char(renderer->out, '\n');
    renderer->needs_blank = false;
}

static size_t room(const struct renderer *renderer, size_t prefix)
{
    return renderer->style->width > prefix + MIN_WIDTH ? renderer->style->width - prefix : MIN_WIDTH;
}

/* Writes the collected text as a wrapped paragraph. */
static void flush_text(struct renderer *renderer)
{
    if (renderer->text.length == 0)
        return;
    add_blank(renderer);
    struct styled_lines lines = { .at = buf_text(&renderer->text) };
    while (*lines.at != '\0') {
        size_t prefix = add_prefix(renderer, renderer->out);
        styled_line(&lines, room(renderer, prefix), renderer->out);
        buf_char(renderer->out, '\n');
    }
    buf_clear(&renderer->text);
}

static void flush_heading(struct renderer *renderer, unsigned level)
{
    const struct report_style *style = renderer->style;
    struct styled_lines lines = { .at = buf_text(&renderer->text) };
    size_t widest = 0, indent = level > 2 ? BODY_INDENT : 0;
    add_blank(renderer);
    while (*lines.at != '\0') {
        buf_repeat(renderer->out, " ", indent);
        size_t used = styled_line(&lines, room(renderer, indent), renderer->out);
        widest = used > widest ? used : widest;
        buf_char(renderer->out, '\n');
    }
    if (level == 1) {
        buf_repeat(renderer->out, style->utf8 ? "═" : "=", widest);
        buf_char(renderer->out, '\n');
    }
    buf_clear(&renderer->text);
    renderer->needs_blank = level == 1;
}

static void flush_code(struct renderer *renderer)
{
    const char *line = buf_text(&renderer->code);
    add_blank(renderer);
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        struct buf shown = { 0 };
        for (size_t i = 0; i < length; i++) {
            if (line[i] == '\t')
                buf_repeat(&shown, " ", TAB_WIDTH);
            else
                buf_char(&shown, line[i]);
        }
        if (shown.length > 0) {
            add_prefix(renderer, renderer->out);
            buf_repeat(renderer->out, " ", CODE_INDENT);
            buf_str(renderer->out, renderer->style->colour ? "\033[36m" : "");
            styled_text(renderer->out, buf_text(&shown), shown.length, renderer->style);
            buf_str(renderer->out, renderer->style->colour ? "\033[0m" : "");
        }
        buf_char(renderer->out, '\n');
        buf_deinit(&shown);
        line += length + (line[length] == '\n');
    }
    buf_clear(&renderer->code);
}

static void flush_table(struct renderer *renderer)
{
    struct buf prefix = { 0 };
    add_blank(renderer);
    size_t columns = add_prefix(renderer, &prefix);
    markdown_table_print(&renderer->table, buf_text(&prefix), room(renderer, columns), renderer->style, renderer->out);
    markdown_table_deinit(&renderer->table);
    buf_deinit(&prefix);
}

static void add_rule(struct renderer *renderer)
{
    add_blank(renderer);
    size_t prefix = add_prefix(renderer, renderer->out);
    buf_repeat(renderer->out, renderer->style->utf8 ? "─" : "-", room(renderer, prefix));
    buf_char(renderer->out, '\n');
}

/* --- md4c's events -------------------------------------------------------------------------------------- */

static void enter_list(struct renderer *renderer, bool is_tight, unsigned start)
{
    container_begin(renderer, (struct container){ .is_tight = is_tight, .next_number = start });
}

/* The list's container becomes that of its item: a list itself has no output. */
static void enter_item(struct renderer *renderer)
{
    struct container *item = innermost(renderer);
    if (item == NULL || renderer->depth > DEPTH_MAX)
        return;
    struct buf marker = { 0 };
    if (item->next_number > 0)
        buf_printf(&marker, "%u. ", item->next_number++ % 100000000);
    else
        buf_str(&marker, renderer->style->utf8 ? "• " : "- ");
    snprintf(item->marker, sizeof item->marker, "%s", buf_text(&marker));
    item->indent = styled_width(item->marker);
    item->has_marker = true;
    buf_deinit(&marker);
}

static void enter_quote(struct renderer *renderer)
{
    struct container quote = { .is_quote = true, .indent = 2 };
    snprintf(quote.marker, sizeof quote.marker, "%s", renderer->style->utf8 ? "│ " : "> ");
    container_begin(renderer, quote);
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct renderer *renderer = user;
    flush_text(renderer); /* a tight item has text without a paragraph; it comes before the block */
    switch (type) {
    case MD_BLOCK_QUOTE:
        enter_quote(renderer);
        break;
    case MD_BLOCK_UL:
        enter_list(renderer, ((MD_BLOCK_UL_DETAIL *)detail)->is_tight != 0, 0);
        break;
    case MD_BLOCK_OL: {
        const MD_BLOCK_OL_DETAIL *list = detail;
        enter_list(renderer, list->is_tight != 0, list->start > 0 ? list->start : 1);
        break;
    }
    case MD_BLOCK_LI:
        enter_item(renderer);
        break;
    case MD_BLOCK_H:
        styled_open(&renderer->text, STYLED_STRONG, renderer->style);
        break;
    case MD_BLOCK_CODE:
        renderer->in_code = true;
        break;
    case MD_BLOCK_TABLE:
        renderer->table.columns = ((MD_BLOCK_TABLE_DETAIL *)detail)->col_count;
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        renderer->cell = markdown_table_add(&renderer->table);
        renderer->cell->right = ((MD_BLOCK_TD_DETAIL *)detail)->align == MD_ALIGN_RIGHT;
        if (type == MD_BLOCK_TH)
            styled_open(&renderer->cell->text, STYLED_STRONG, renderer->style);
        break;
    default:
        break;
    }
    return 0;
}

static void leave_container(struct renderer *renderer)
{
    flush_text(renderer);
    renderer->depth--;
    const struct container *outer = innermost(renderer);
    renderer->needs_blank = outer == NULL || outer->is_quote || !outer->is_tight;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct renderer *renderer = user;
    switch (type) {
    case MD_BLOCK_QUOTE:
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        leave_container(renderer);
        break;
    case MD_BLOCK_LI:
        flush_text(renderer);
        renderer->needs_blank = !innermost(renderer)->is_tight;
        break;
    case MD_BLOCK_P:
        flush_text(renderer);
        renderer->needs_blank = true;
        break;
    case MD_BLOCK_H:
        styled_close(&renderer->text, STYLED_STRONG, renderer->style);
        renderer->needs_blank = true;
        flush_heading(renderer, ((MD_BLOCK_H_DETAIL *)detail)->level);
        break;
    case MD_BLOCK_CODE:
        renderer->in_code = false;
        flush_code(renderer);
        renderer->needs_blank = true;
        break;
    case MD_BLOCK_TABLE:
        flush_table(renderer);
        renderer->needs_blank = true;
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        if (type == MD_BLOCK_TH)
            styled_close(&renderer->cell->text, STYLED_STRONG, renderer->style);
        renderer->cell = NULL;
        break;
    case MD_BLOCK_HR:
        add_rule(renderer);
        renderer->needs_blank = true;
        break;
    default:
        break;
    }
    return 0;
}

static struct buf *current(struct renderer *renderer)
{
    return renderer->cell != NULL ? &renderer->cell->text : &renderer->text;
}

/* The style of a span; 0: none. */
static enum styled_mark span_mark(MD_SPANTYPE type)
{
    switch (type) {
    case MD_SPAN_STRONG:
        return STYLED_STRONG;
    case MD_SPAN_EM:
        return STYLED_EMPHASIS;
    case MD_SPAN_CODE:
        return STYLED_CODE;
    case MD_SPAN_A:
        return STYLED_LINK;
    default:
        return 0;
    }
}

static int enter_span(MD_SPANTYPE type, void *detail, void *user)
{
    struct renderer *renderer = user;
    (void)detail;
    if (span_mark(type) != 0)
        styled_open(current(renderer), span_mark(type), renderer->style);
    return 0;
}

/* True if the text ends with the link's address, as in <https://…>. The address is then not written again. */
static bool ends_in(const struct buf *text, const MD_ATTRIBUTE *address)
{
    if (address->size == 0)
        return true;
    return text->length >= address->size &&
        memcmp(text->data + text->length - address->size, address->text, address->size) == 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *user)
{
    struct renderer *renderer = user;
    struct buf *text = current(renderer);
    if (span_mark(type) == 0)
        return 0;
    if (type == MD_SPAN_A && text->length > 0) {
        const MD_ATTRIBUTE *address = &((MD_SPAN_A_DETAIL *)detail)->href;
        bool is_shown = ends_in(text, address);
        styled_close(text, STYLED_LINK, renderer->style);
        if (!is_shown) {
            buf_str(text, " <");
            styled_text(text, address->text, address->size, renderer->style);
            buf_char(text, '>');
        }
        return 0;
    }
    styled_close(text, span_mark(type), renderer->style);
    return 0;
}

static void add_entity(struct buf *out, const char *text, size_t length, const struct report_style *style)
{
    static const char *const entities[][2] = { { "&lt;", "<" }, { "&gt;", ">" }, { "&amp;", "&" }, { "&quot;", "\"" },
        { "&nbsp;", " " } };
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (strlen(entities[i][0]) == length && memcmp(entities[i][0], text, length) == 0) {
            buf_str(out, entities[i][1]);
            return;
        }
    }
    styled_text(out, text, length, style);
}

static int add_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *user)
{
    struct renderer *renderer = user;
    struct buf *out = current(renderer);
    if (renderer->in_code)
        buf_add(&renderer->code, text, size);
    else if (type == MD_TEXT_SOFTBR)
        buf_char(out, ' ');
    else if (type == MD_TEXT_BR)
        buf_char(out, STYLED_BREAK);
    else if (type == MD_TEXT_ENTITY)
        add_entity(out, text, size, renderer->style);
    else if (type == MD_TEXT_CODE)
        styled_code(out, text, size, renderer->style);
    else
        styled_text(out, text, size, renderer->style);
    return 0;
}

int markdown_render(const char *markdown, const struct report_style *style, struct buf *out)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_TABLES | MD_FLAG_NOHTML | MD_FLAG_COLLAPSEWHITESPACE,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = enter_span,
        .leave_span = leave_span,
        .text = add_text,
    };
    struct buf rendered = { 0 };
    struct renderer renderer = { .style = style, .out = &rendered };
    size_t length = strlen(markdown);
    int result = length <= UINT32_MAX ? md_parse(markdown, (MD_SIZE)length, &parser, &renderer) : -1;
    if (result == 0)
        buf_str(out, buf_text(&rendered));
    markdown_table_deinit(&renderer.table);
    buf_deinit(&renderer.text);
    buf_deinit(&renderer.code);
    buf_deinit(&rendered);
    return result == 0 ? 0 : -EINVAL;
}
