#include "report/plugin.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/policy.h"

enum {
    OUTPUT_MAX = 8000, /* Nagios reads 8,192 bytes (MAX_PLUGIN_OUTPUT_LENGTH), and its broker needs some of them */
    WORDS_MAX = 600,   /* bytes of the status line, which is sent to pagers */
    TITLES_MAX = 10,   /* the most findings; as many ignored ones are added */
    DETAILS_MAX = 3,   /* the most findings that are shown with advice */
};

static const char ellipsis[] = "...";

/* Escapes text from outside. An unescaped bar would begin the performance data. */
static void add_words(struct buf *out, const char *text)
{
    struct buf escaped = { 0 };
    text_escape(&escaped, text);
    for (const char *at = buf_text(&escaped); *at != '\0'; at++) {
        if (*at == '|')
            buf_str(out, "\\x7c");
        else
            buf_char(out, *at);
    }
    buf_deinit(&escaped);
}

static void add_formatted(struct buf *out, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

static void add_formatted(struct buf *out, const char *format, va_list args)
{
    struct buf text = { 0 };
    buf_vprintf(&text, format, args);
    add_words(out, buf_text(&text));
    buf_deinit(&text);
}

void plugin_deinit(struct plugin *plugin)
{
    buf_deinit(&plugin->words);
    buf_deinit(&plugin->measures);
    buf_deinit(&plugin->more);
}

void plugin_say(struct plugin *plugin, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(&plugin->words, format, args);
    va_end(args);
}

void plugin_add_line(struct plugin *plugin, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(&plugin->more, format, args);
    va_end(args);
    buf_char(&plugin->more, '\n');
}

/* --- performance data ------------------------------------------------------------------------------------------- */

/* Quotes a label if the guidelines require it. They forbid an equals sign in it; some parsers also fail on | and ;. */
static void add_label(struct buf *out, const char *label)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/,";
    bool quoted = *label == '\0' || strspn(label, plain) != strlen(label);
    struct buf words = { 0 };
    text_escape(&words, label);
    buf_str(out, quoted ? "'" : "");
    for (const char *at = buf_text(&words); *at != '\0'; at++) {
        if (*at == '\'')
            buf_str(out, "''");
        else
            buf_char(out, strchr("=|;", *at) != NULL ? '_' : *at);
    }
    buf_str(out, quoted ? "'" : "");
    buf_deinit(&words);
}

/* Plain decimals, without an exponent. A whole number has no decimals. */
static void add_number(struct buf *out, double number)
{
    double rounded = round(number * 1e4) / 1e4;
    if (rounded == floor(rounded)) {
        buf_printf(out, "%.0f", rounded + 0.0); /* + 0.0 turns -0 into 0 */
        return;
    }
    buf_printf(out, "%.4f", number);
    while (out->data[out->length - 1] == '0')
        out->data[--out->length] = '\0';
}

void plugin_measure(struct plugin *plugin, const struct plugin_measure *measure)
{
    struct buf *out = &plugin->measures;
    buf_str(out, out->length > 0 ? " " : "");
    add_label(out, measure->label);
    buf_char(out, '=');
    if (measure->unknown)
        buf_char(out, 'U');
    else
        add_number(out, measure->value);
    const char *fields[] = { measure->unknown ? "" : measure->unit, measure->warning ? measure->warning->text : "",
        measure->critical ? measure->critical->text : "", measure->least ? measure->least : "",
        measure->most ? measure->most : "" };
    size_t last = sizeof fields / sizeof *fields - 1;
    while (last > 0 && *fields[last] == '\0')
        last--;
    for (size_t i = 0; i <= last; i++) {
        buf_str(out, i > 0 ? ";" : "");
        buf_str(out, fields[i]);
    }
}

/* --- findings --------------------------------------------------------------------------------------------------- */

static void add_fixes(struct plugin *plugin, const char *label, const struct fixes *fixes)
{
    for (size_t i = 0; i < fixes->count; i++) {
        const struct fix *fix = &fixes->items[i];
        plugin_add_line(
            plugin, "  %s: %s%s%s", label, fix->text, fix->command ? "  $ " : "", fix->command ? fix->command : "");
    }
}

static void add_lines(struct plugin *plugin, const char *label, const struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        plugin_add_line(plugin, "  %s: %s", label, lines->items[i]);
}

static void add_title(struct plugin *plugin, const struct finding *finding)
{
    static const char *const names[] = { "info", "WARNING", "CRITICAL" };
    struct buf age = { 0 };
    if (finding->age_known && finding->conn_count > 0) {
        buf_printf(&age, "; the oldest %s", finding->age_at_least ? "at least " : "");
        text_duration(&age, finding->oldest_ms);
        if (finding->reset_count > 0) {
            buf_str(&age, ", at most ");
            text_duration(&age, finding->oldest_at_most_ms);
        }
    }
    plugin_add_line(plugin, "[%s] %s: %s%s", names[finding->severity], finding->id, finding->title, buf_text(&age));
    buf_deinit(&age);
}

static void add_details(struct plugin *plugin, const struct finding *finding, bool verbose)
{
    plugin_add_line(plugin, "  why: %s", finding->why);
    if (verbose) {
        add_lines(plugin, "proof", &finding->evidence);
        add_lines(plugin, "ruled out", &finding->ruled_out);
    }
    add_fixes(plugin, "now", &finding->fix_now);
    if (verbose)
        add_fixes(plugin, "for good", &finding->fix_for_good);
    plugin_add_line(plugin, "  more: tcpwhy explain %s", finding->id);
}

void plugin_findings(struct plugin *plugin, const struct finding *const *findings, size_t count, bool verbose)
{
    for (size_t i = 0; i < count && i < TITLES_MAX; i++) {
        add_title(plugin, findings[i]);
        if (verbose || (i < DETAILS_MAX && findings[i]->severity != SEVERITY_INFO))
            add_details(plugin, findings[i], verbose);
    }
    if (count > TITLES_MAX)
        plugin_add_line(plugin, "and %zu findings more: 'tcpwhy' shows them", count - TITLES_MAX);
}

void plugin_notes(struct plugin *plugin, const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->ignored_count && i < TITLES_MAX; i++) {
        const struct finding *finding = &diagnosis->ignored[i];
        const struct ignore *ignore = finding->ignored;
        plugin_add_line(plugin, "[ignored] %s: %s", finding->id, finding->title);
        plugin_add_line(plugin, "  ignored: %s%s%s (%s, line %u)", ignore->reason, ignore->until ? ", until " : "",
            ignore->until ? ignore->until : "", ignore->origin.file, ignore->origin.line);
    }
    for (size_t i = 0; i < diagnosis->notes.count; i++)
        plugin_add_line(plugin, "%s", diagnosis->notes.items[i]);
    size_t gap_count;
    struct gap *gaps = diagnosis_all_gaps(diagnosis, &gap_count);
    for (size_t i = 0; i < gap_count; i++)
        plugin_add_line(plugin, "not seen: %s (%s)", gaps[i].text, gaps[i].remedy);
    free(gaps);
}

/* --- printing --------------------------------------------------------------------------------------------------- */

const char *plugin_status_name(enum plugin_status status)
{
    static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
    return names[status];
}

/* The length of the text cut to `most` bytes, at the end of a character. */
static size_t cut(const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

int plugin_write(const struct plugin *plugin, enum plugin_status status, FILE *out)
{
    struct buf text = { 0 };
    const char *words = buf_text(&plugin->words);
    size_t length = cut(words, WORDS_MAX);
    buf_printf(&text, "TCPWHY %s - ", plugin_status_name(status));
    buf_add(&text, words, length);
    buf_str(&text, words[length] != '\0' ? ellipsis : "");
    if (plugin->measures.length > 0)
        buf_printf(&text, " | %s", buf_text(&plugin->measures));
    buf_char(&text, '\n');

    /* As many whole lines as fit. */
    const char *more = buf_text(&plugin->more);
    while (*more != '\0') {
        size_t line = strcspn(more, "\n") + 1;
        if (text.length + line > OUTPUT_MAX - sizeof ellipsis) {
            buf_printf(&text, "%s\n", ellipsis);
            break;
        }
        buf_add(&text, more, line);
        more += line;
    }
    int result = fwrite(buf_text(&text), 1, text.length, out) == text.length && fflush(out) == 0 ? 0 : -errno;
    buf_deinit(&text);
    return result;
}
