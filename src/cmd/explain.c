/* tcpwhy explain: the knowledge pages on the terminal. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "knowledge/knowledge.h"
#include "model/state.h"
#include "report/terminal/markdown.h"
#include "report/report.h"

enum {
    WIDTH_MAX = 110, /* longer lines are hard to read */
    SUGGESTIONS = 5,
};

struct explain_options {
    bool markdown;
    bool json;
};

static const struct option_row explain_option_rows[] = {
    { 'm', "markdown", NULL, "print the source of the page", .flag = offsetof(struct explain_options, markdown) },
    { 'j', "json", NULL, "print JSON: name, title, summary, text (Markdown)",
        .flag = offsetof(struct explain_options, json) },
    { 0 },
};

static struct report_style page_style(void)
{
    struct report_style style = output_style(stdout);
    if (style.width > WIDTH_MAX)
        style.width = WIDTH_MAX;
    return style;
}

/* --- the list of pages ---------------------------------------------------------------------------------- */

static void add_row(struct buf *out, const struct page *page)
{
    buf_printf(out, "- **%s**: %s\n", page->name, page->summary);
}

static bool is_state_page(const struct page *page)
{
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        if (knowledge_find(state_name((enum conn_state)state)) == page)
            return true;
    }
    return false;
}

static int list_text(void)
{
    size_t count;
    const struct page *pages = knowledge_pages(&count);
    struct report_style style = page_style();
    struct buf text = { 0 }, shown = { 0 };
    output_page();
    buf_str(&text, "## States\n\n");
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        const struct page *page = knowledge_find(state_name((enum conn_state)state));
        if (page != NULL)
            add_row(&text, page);
    }
    buf_str(&text, "\n## Findings and recipes\n\n");
    for (size_t i = 0; i < count; i++) {
        if (!is_state_page(&pages[i]))
            add_row(&text, &pages[i]);
    }
    int result = markdown_render(buf_text(&text), &style, &shown);
    fputs(buf_text(&shown), stdout);
    fputs("\n'tcpwhy explain NAME' shows a page; any spelling of a state will do.\n", stdout);
    buf_deinit(&text);
    buf_deinit(&shown);
    if (result == 0)
        return STATUS_HEALTHY;
    struct error err;
    error_set(&err, result, NULL, "the list of pages cannot be rendered");
    return cmd_fail(&command_explain, &err);
}

static void json_page(struct json *json, const struct page *page, const char *text)
{
    json_object(json);
    json_member_string(json, "name", page->name);
    json_member_string(json, "title", page->title);
    json_member_string(json, "summary", page->summary);
    if (text != NULL)
        json_member_string(json, "text", text);
    json_object_end(json);
}

static int list_json(void)
{
    size_t count;
    const struct page *pages = knowledge_pages(&count);
    struct json json;
    json_begin(&json, stdout, false);
    json_array(&json);
    for (size_t i = 0; i < count; i++)
        json_page(&json, &pages[i], NULL);
    json_array_end(&json);
    int result = json_end(&json);
    return result < 0 ? cmd_fail_to_write(&command_explain, result) : STATUS_HEALTHY;
}

/* --- one page ------------------------------------------------------------------------------------------- */

static int show(
    const struct command *self, const struct page *page, const char *text, const struct explain_options *options)
{
    if (options->json) {
        struct json json;
        json_begin(&json, stdout, false);
        json_page(&json, page, text);
        int result = json_end(&json);
        return result < 0 ? cmd_fail_to_write(&command_explain, result) : STATUS_HEALTHY;
    }
    if (options->markdown) {
        fputs(text, stdout);
        return STATUS_HEALTHY;
    }
    struct report_style style = page_style();
    struct buf shown = { 0 };
    output_page();
    int result = markdown_render(text, &style, &shown);
    fputs(buf_text(&shown), stdout);
    buf_deinit(&shown);
    if (result < 0) {
        struct error err;
        error_set(&err, result, page->name, "cannot be rendered; --markdown prints its source");
        return cmd_fail(self, &err);
    }
    return STATUS_HEALTHY;
}

static int unknown(const struct command *self, const char *words)
{
    char subject[sizeof(struct error){ 0 }.subject];
    snprintf(subject, sizeof subject, "'%.100s'", words);
    const char *nearest[SUGGESTIONS];
    size_t count = knowledge_suggest(words, nearest, SUGGESTIONS);
    struct buf names = { 0 };
    for (size_t i = 0; i < count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", nearest[i]);
    struct error err;
    if (count > 0)
        error_set(&err, -ENOENT, subject, "no such page; nearest: %s", buf_text(&names));
    else
        error_set(&err, -ENOENT, subject, "no such page; 'tcpwhy explain' lists them");
    buf_deinit(&names);
    return cmd_fail(self, &err);
}

static void unknown_section(const struct command *self, const struct page *page)
{
    struct buf headings = { 0 };
    knowledge_headings(page, &headings);
    struct error err;
    error_set(&err, -ENOENT, page->name, "has the sections: %s", buf_text(&headings));
    buf_deinit(&headings);
    cmd_fail(self, &err);
}

static void join(struct buf *out, char **words, int count)
{
    buf_clear(out);
    for (int i = 0; i < count; i++)
        buf_printf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

static int show_name(
    const struct command *self, const struct page_name *name, struct buf *text, const struct explain_options *options)
{
    if (name->section == NULL || knowledge_section(name->page, name->section, text) != 0)
        return show(self, name->page, name->page->text, options);
    return show(self, name->page, buf_text(text), options);
}

/*
 * The words are the name of a page, or something that a page explains, or a page and one of its sections ("closing
 * python"). Otherwise they are searched as a message that may contain something that a page explains.
 */
static int explain(const struct command *self, char **words, int count, const struct explain_options *options)
{
    struct buf name = { 0 }, section = { 0 }, text = { 0 };
    int status = -1;
    join(&name, words, count);
    const struct page *page = knowledge_find(buf_text(&name)), *start = NULL;
    const struct page_name *named = page == NULL ? knowledge_find_name(buf_text(&name)) : NULL;
    if (page != NULL)
        status = show(self, page, page->text, options);
    else if (named != NULL)
        status = show_name(self, named, &text, options);
    for (int split = count - 1; split > 0 && status < 0; split--) {
        join(&name, words, split);
        join(&section, words + split, count - split);
        page = knowledge_find(buf_text(&name));
        if (page != NULL && knowledge_section(page, buf_text(&section), &text) == 0)
            status = show(self, page, buf_text(&text), options);
        else if (start == NULL)
            start = page;
    }
    join(&name, words, count);
    named = status < 0 && start == NULL ? knowledge_find_in_message(buf_text(&name)) : NULL;
    if (named != NULL)
        status = show_name(self, named, &text, options);
    if (status < 0) {
        status = unknown(self, buf_text(&name));
        if (start != NULL)
            unknown_section(self, start);
    }
    buf_deinit(&name);
    buf_deinit(&section);
    buf_deinit(&text);
    return status;
}

static int run_explain(const struct command *self, int argc, char **argv)
{
    struct explain_options options = { 0 };
    const struct option_group groups[] = {
        { "Options", explain_option_rows, &options },
        { 0 },
    };
    struct error err;
    int count = 0;
    int result = options_parse(self, groups, argc, argv, &count, &err);
    if (result < 0)
        return cmd_fail(self, &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (count > 0)
        return explain(self, argv + 1, count, &options);
    return options.json ? list_json() : list_text();
}

const struct command command_explain = {
    .name = "explain",
    .summary = "explain a state, finding, error, setting or word, or how to close properly; offline",
    .synopsis = "tcpwhy explain [OPTIONS] [NAME [SECTION]]",
    .details = "NAME is a state in any spelling (LAST_ACK, LastAck, last-ack, or 10, its number on\n"
               "Windows), the id of a finding (close-wait-leak), or 'closing': how to close a\n"
               "connection, in ten languages, and with TLS. It may also be an error\n"
               "(EADDRNOTAVAIL, 10055), an event of Windows (4227), a setting (tcp_fin_timeout),\n"
               "a counter (ListenOverflows), a word of a report (likely, orphan), or the whole line\n"
               "of a log. Without NAME all pages are listed. SECTION shows one section of the page\n"
               "only.\n"
               "\n"
               "'closing' in lower case is the recipe; the state is 'closing-state', CLOSING or 9.\n",
    .examples = "  tcpwhy explain LAST_ACK\n"
                "      what it means, who must act, and what is wrongly said of it\n"
                "  tcpwhy explain close-wait-leak\n"
                "      how the finding is decided, and how to fix it\n"
                "  tcpwhy explain 'connect: Cannot assign requested address'\n"
                "      what an error says, and which findings it belongs to\n"
                "  tcpwhy explain closing python\n"
                "      only the recipe for Python\n",
    .run = run_explain,
};
