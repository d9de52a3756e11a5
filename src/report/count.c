#include "report/count.h"

#include <errno.h>
#include <inttypes.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "report/json/document.h"
#include "report/terminal/table.h"

/* The numbers of a row, without its keys. */
struct row {
    uint64_t count;
    bool age_known;
    uint64_t oldest_ms;
    bool median_known;
    uint64_t median_ms;
};

static struct row row_of(const struct group *group)
{
    return (struct row){ .count = group->count,
        .age_known = group->aged > 0,
        .oldest_ms = group->oldest_ms,
        .median_known = group->aged > 0,
        .median_ms = group->median_ms };
}

/* Adds up the groups from `first` on. A common median cannot be computed from the medians of groups. */
static struct row row_of_rest(const struct groups *groups, size_t first)
{
    struct row row = { 0 };
    for (size_t i = first; i < groups->count; i++) {
        const struct group *group = &groups->items[i];
        row.count += group->count;
        row.age_known |= group->aged > 0;
        if (group->oldest_ms > row.oldest_ms)
            row.oldest_ms = group->oldest_ms;
    }
    return row;
}

static size_t shown_count(const struct groups *groups, const struct count_options *options)
{
    return options->top != 0 && options->top < groups->count ? (size_t)options->top : groups->count;
}

/* The share in thousandths: 12.3 % is 123. */
static unsigned share(const struct groups *groups, uint64_t count)
{
    return groups->total == 0 ? 0 : (unsigned)((count * 1000 + groups->total / 2) / groups->total);
}

static int finish(FILE *out)
{
    return fflush(out) != 0 || ferror(out) ? (errno ? -errno : -EIO) : 0;
}

/* --- text ----------------------------------------------------------------------------------------------------- */

static void fill_age(struct table *table, bool known, uint64_t ms)
{
    if (known)
        value_format_ms(table_cell(table), ms);
    else
        buf_char(table_cell(table), '-');
}

static void fill_numbers(const struct groups *groups, const struct row *row, struct table *table)
{
    text_count(table_cell(table), row->count);
    unsigned thousandths = share(groups, row->count);
    buf_printf(table_cell(table), "%u.%u%%", thousandths / 10, thousandths % 10);
    fill_age(table, row->age_known, row->oldest_ms);
    fill_age(table, row->median_known, row->median_ms);
}

/* Fills the row of group number `at`. The row after the last shown group adds up all others. */
static void fill_row(struct groups *groups, size_t at, size_t shown, struct table *table)
{
    if (at < shown) {
        struct row row = row_of(&groups->items[at]);
        fill_numbers(groups, &row, table);
        for (unsigned i = 0; i < groups->key_count; i++) {
            struct value value = group_key_value(groups, &groups->items[at], i);
            value_write_text(&value, groups->source.fields.snapshot, table_cell(table));
        }
        return;
    }
    struct row row = row_of_rest(groups, shown);
    fill_numbers(groups, &row, table);
    struct buf *cell = table_cell(table);
    buf_str(cell, "other: ");
    text_count(cell, groups->count - shown);
    buf_str(cell, groups->count - shown == 1 ? " group" : " groups");
}

static void fill_titles(const struct groups *groups, struct table *table)
{
    static const char *const titles[] = { "count", "share", "oldest", "median" };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        table_title(table, titles[i]);
    for (unsigned i = 0; i < groups->key_count; i++)
        table_title(table, groups->keys[i].key->name);
}

int count_text(struct groups *groups, const struct count_options *options, FILE *out)
{
    size_t shown = shown_count(groups, options);
    size_t rows = shown + (shown < groups->count);
    struct table table;
    table_init(&table);
    table.cut_at = options->terminal_width;
    table.utf8 = options->utf8;
    for (unsigned i = 0; i < 4 + groups->key_count; i++)
        table_add_column(&table, i < 4);
    if (!options->no_header) {
        fill_titles(groups, &table);
        table_measure(&table);
    }
    for (size_t i = 0; i < rows; i++) {
        fill_row(groups, i, shown, &table);
        table_measure(&table);
    }
    if (!options->no_header) {
        fill_titles(groups, &table);
        table_print(&table, out);
    }
    for (size_t i = 0; i < rows && !ferror(out); i++) {
        fill_row(groups, i, shown, &table);
        table_print(&table, out);
    }
    table_deinit(&table);
    return finish(out);
}

/* --- JSON and CSV --------------------------------------------------------------------------------------------- */

/* "peer-net" becomes "peer_net". */
static const char *key_word(const struct key *key, char word[32])
{
    snprintf(word, 32, "%s", key->name);
    for (char *c = word; *c != '\0'; c++) {
        if (*c == '-')
            *c = '_';
    }
    return word;
}

static void write_numbers(const struct groups *groups, const struct row *row, struct json *json)
{
    json_member_uint(json, "count", row->count);
    json_key(json, "share");
    json_seconds(
        json, share(groups, row->count)); /* json_seconds() divides by 1,000, which is right for the share too */
    json_key(json, "age_s");
    json_object(json);
    json_key(json, "oldest");
    row->age_known ? json_seconds(json, row->oldest_ms) : json_null(json);
    json_key(json, "median");
    row->median_known ? json_seconds(json, row->median_ms) : json_null(json);
    json_object_end(json);
}

int count_json(struct groups *groups, const struct count_options *options, FILE *out)
{
    const struct snapshot *snapshot = groups->source.fields.snapshot;
    size_t shown = shown_count(groups, options);
    char word[32];
    struct json json;
    json_begin(&json, out, false);
    document_begin(&json, "tcpwhy.count/1", options->tool_version, snapshot);
    json_key(&json, "by");
    json_array(&json);
    for (unsigned i = 0; i < groups->key_count; i++)
        json_string(&json, key_word(groups->keys[i].key, word));
    json_array_end(&json);
    json_member_uint(&json, "total", groups->total);
    json_key(&json, "groups");
    json_array(&json);
    for (size_t at = 0; at < shown && json.error == 0; at++) {
        json_object(&json);
        json.compact = true; /* each group on one line */
        for (unsigned i = 0; i < groups->key_count; i++) {
            struct value value = group_key_value(groups, &groups->items[at], i);
            json_key(&json, key_word(groups->keys[i].key, word));
            value_write_json(&value, snapshot, &json);
        }
        struct row row = row_of(&groups->items[at]);
        write_numbers(groups, &row, &json);
        json_object_end(&json);
        json.compact = false;
    }
    json_array_end(&json);
    json_key(&json, "other");
    if (shown < groups->count) {
        struct row row = row_of_rest(groups, shown);
        json_object(&json);
        json_member_uint(&json, "groups", groups->count - shown);
        write_numbers(groups, &row, &json);
        json_object_end(&json);
    } else {
        json_null(&json);
    }
    document_end(&json, snapshot);
    return json_end(&json);
}

static void csv_numbers(const struct groups *groups, const struct row *row, struct buf *line)
{
    const struct snapshot *snapshot = groups->source.fields.snapshot;
    unsigned thousandths = share(groups, row->count);
    buf_printf(line, ",%" PRIu64 ",%u.%03u,", row->count, thousandths / 1000, thousandths % 1000);
    struct value oldest = row->age_known ? value_ms(row->oldest_ms) : value_unknown();
    value_write_csv(&oldest, snapshot, line);
    buf_char(line, ',');
    struct value median = row->median_known ? value_ms(row->median_ms) : value_unknown();
    value_write_csv(&median, snapshot, line);
    csv_end_record(line);
}

int count_csv(struct groups *groups, const struct count_options *options, FILE *out)
{
    size_t shown = shown_count(groups, options);
    char word[32];
    struct buf line = { 0 };
    if (!options->no_header) {
        for (unsigned i = 0; i < groups->key_count; i++)
            buf_printf(&line, "%s,", key_word(groups->keys[i].key, word));
        buf_str(&line, "count,share,oldest_s,median_s");
        csv_end_record(&line);
        fwrite(line.data, 1, line.length, out);
    }
    for (size_t at = 0; at < shown && !ferror(out); at++) {
        buf_clear(&line);
        for (unsigned i = 0; i < groups->key_count; i++) {
            if (i > 0)
                buf_char(&line, ',');
            struct value value = group_key_value(groups, &groups->items[at], i);
            value_write_csv(&value, groups->source.fields.snapshot, &line);
        }
        struct row row = row_of(&groups->items[at]);
        csv_numbers(groups, &row, &line);
        fwrite(line.data, 1, line.length, out);
    }
    if (shown < groups->count) {
        struct row row = row_of_rest(groups, shown);
        buf_clear(&line);
        buf_printf(&line, "other: %zu groups", groups->count - shown);
        buf_repeat(&line, ",", groups->key_count - 1);
        csv_numbers(groups, &row, &line);
        fwrite(line.data, 1, line.length, out);
    }
    buf_deinit(&line);
    return finish(out);
}
