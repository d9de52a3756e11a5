#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "fixture_private.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

int loader_fail(struct loader *loader, const char *format, ...)
{
    char subject[128], message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    snprintf(subject, sizeof subject, "%s:%u", loader->name, loader->line);
    return error_set(loader->err, -EINVAL, subject, "%s", message);
}

char *loader_key(char *word, char **ret_value)
{
    char *equals = strchr(word, '=');
    if (equals != NULL)
        *equals = '\0';
    *ret_value = equals ? equals + 1 : NULL;
    return word;
}

int loader_number(struct loader *loader, const char *text, uint64_t max, uint64_t *ret_number)
{
    if (text == NULL || text_parse_number(text, max, ret_number) < 0)
        return loader_fail(loader, "not a number up to %llu: %s", (unsigned long long)max, text ? text : "nothing");
    return 0;
}

int loader_netns(struct loader *loader, const char *name, uint32_t *ret_index)
{
    for (size_t i = 0; i < loader->snapshot->netns_count; i++) {
        if (strcmp(loader->snapshot->netns[i].name, name) == 0) {
            *ret_index = (uint32_t)i;
            return 0;
        }
    }
    return loader_fail(loader, "no netns line names %s", name);
}

int loader_process(struct loader *loader, const char *pid, uint32_t *ret_index)
{
    uint64_t number = 0;
    int r = loader_number(loader, pid, UINT32_MAX, &number);
    if (r < 0)
        return r;
    const struct process *process = snapshot_process_by_pid(loader->snapshot, (uint32_t)number);
    if (process == NULL)
        return loader_fail(loader, "no process line has the pid %s", pid);
    *ret_index = (uint32_t)(process - loader->snapshot->processes);
    return 0;
}

/* Decodes one escape after its backslash. Returns the number of bytes read, or 0. */
static size_t unescape(const char *text, char *ret_char)
{
    static const char names[] = "ntre\"\\", values[] = "\n\t\r\033\"\\";
    const char *found = *text ? strchr(names, *text) : NULL;
    if (found != NULL) {
        *ret_char = values[found - names];
        return 1;
    }
    static const char digits[] = "0123456789abcdef";
    const char *high = text[0] == 'x' && text[1] ? strchr(digits, text[1]) : NULL;
    const char *low = high != NULL && text[2] ? strchr(digits, text[2]) : NULL;
    if (low == NULL || (high == digits && low == digits))
        return 0;
    *ret_char = (char)((high - digits) << 4 | (low - digits));
    return 3;
}

/* Splits the line into loader->words. */
static int split(struct loader *loader, const char *text, size_t length)
{
    char *out = arena_strndup(&loader->snapshot->arena, text, length);
    const char *in = arena_strndup(&loader->snapshot->arena, text, length);
    loader->word_count = 0;
    for (;;) {
        in += strspn(in, " \t\r");
        if (*in == '\0' || *in == '#')
            return 0;
        if (loader->word_count == WORDS_MAX)
            return loader_fail(loader, "more than %d words", WORDS_MAX);
        loader->words[loader->word_count++] = out;
        bool quoted = false;
        for (; *in != '\0' && (quoted || strchr(" \t\r", *in) == NULL); in++) {
            if (*in == '"') {
                quoted = !quoted;
            } else if (quoted && *in == '\\') {
                size_t taken = unescape(in + 1, out);
                if (taken == 0)
                    return loader_fail(loader, "a backslash that means nothing: %.4s", in);
                in += taken;
                out++;
            } else {
                *out++ = *in;
            }
        }
        if (quoted)
            return loader_fail(loader, "a quote that does not end");
        bool last = *in == '\0';
        if (!last)
            in++;
        *out++ = '\0';
        if (last)
            return 0;
    }
}

static int parse_time(struct loader *loader, const char *text, uint64_t *ret_ms)
{
    struct tm tm = { 0 };
    uint64_t ms = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    char fraction[4] = "";
    if (rest != NULL && *rest == '.' && strlen(rest) == sizeof ".123Z" - 1 && rest[4] == 'Z')
        memcpy(fraction, rest + 1, 3);
    if (text_parse_number(fraction, 999, &ms) < 0)
        return loader_fail(loader, "not a time like 2026-01-31T12:03:11.123Z: %s", text);
    *ret_ms = (uint64_t)timegm(&tm) * 1000 + ms;
    return 0;
}

static int line_host(struct loader *loader)
{
    struct snapshot *snapshot = loader->snapshot;
    if (loader->word_count != 5)
        return loader_fail(loader, "host wants a name, a system, a kernel release and a time");
    snapshot->host_name = loader->words[1];
    snapshot->os = loader->words[2];
    snapshot->kernel = strcmp(loader->words[3], "?") == 0 ? NULL : loader->words[3];
    return parse_time(loader, loader->words[4], &snapshot->taken_at_ms);
}

static int line_source(struct loader *loader)
{
    if (loader->word_count < 2)
        return loader_fail(loader, "source wants a name");
    loader->snapshot->source = loader->words[1];
    for (size_t i = 2; i < loader->word_count; i++) {
        char *value;
        const char *key = loader_key(loader->words[i], &value);
        uint64_t number = 0;
        int r = loader_number(loader, value, UINT32_MAX, &number);
        if (r < 0)
            return r;
        if (strcmp(key, "elapsed_us") == 0)
            loader->snapshot->elapsed_us = (uint32_t)number;
        else if (strcmp(key, "page_bytes") == 0)
            loader->snapshot->page_bytes = (uint32_t)number;
        else
            return loader_fail(loader, "source has no %s", key);
    }
    return 0;
}

static int line_netns(struct loader *loader)
{
    if (loader->word_count < 2)
        return loader_fail(loader, "netns wants a name");
    for (size_t i = 0; i < loader->snapshot->netns_count; i++) {
        if (strcmp(loader->snapshot->netns[i].name, loader->words[1]) == 0)
            return loader_fail(loader, "a second netns %s; netns lines come before what is in them", loader->words[1]);
    }
    struct netns *netns = snapshot_add_netns(loader->snapshot);
    if (netns == NULL)
        return -ENOMEM;
    netns->name = loader->words[1];
    netns->inode = 4026531840U + loader->snapshot->netns_count - 1;
    loader->netns = (uint32_t)loader->snapshot->netns_count - 1;
    for (size_t i = 2; i < loader->word_count; i++) {
        char *value;
        const char *key = loader_key(loader->words[i], &value);
        if (strcmp(key, "own") == 0 && value == NULL) {
            netns->is_own = true;
        } else if (strcmp(key, "inode") == 0) {
            int r = loader_number(loader, value, UINT64_MAX, &netns->inode);
            if (r < 0)
                return r;
        } else {
            return loader_fail(loader, "netns has no %s", key);
        }
    }
    return 0;
}

/* The namespace that values belong to. The first one is created automatically. */
static int default_netns(struct loader *loader)
{
    if (loader->snapshot->netns_count > 0)
        return 0;
    struct netns *netns = snapshot_add_netns(loader->snapshot);
    if (netns == NULL)
        return -ENOMEM;
    *netns = (struct netns){ .inode = 4026531840U, .name = "host", .is_own = true };
    return 0;
}

static int line_setting(struct loader *loader)
{
    struct net_values *values = &loader->snapshot->net_values[loader->netns];
    size_t known = 0, wanted = loader->word_count >= 2 ? loader->word_count - 2 : 0;
    for (size_t i = 0; i < SETTING_COUNT && wanted > 0; i++) {
        if (strcmp(setting_infos[i].name, loader->words[1]) != 0 || setting_infos[i].word >= wanted)
            continue;
        uint64_t number = 0;
        int r = loader_number(loader, loader->words[2 + setting_infos[i].word], INT64_MAX, &number);
        if (r < 0)
            return r;
        values->settings[i] = (int64_t)number;
        values->has_setting[i] = true;
        known++;
    }
    if (known == 0 || known != wanted)
        return loader_fail(loader, "not a setting with so many values");
    return 0;
}

static int line_counter(struct loader *loader)
{
    if (loader->word_count != 3)
        return loader_fail(loader, "counter wants LINE.NAME and a value");
    char *dot = strchr(loader->words[1], '.');
    if (dot != NULL)
        *dot = '\0';
    struct net_values *values = &loader->snapshot->net_values[loader->netns];
    for (size_t i = 0; dot != NULL && i < COUNTER_COUNT; i++) {
        if (strcmp(counter_infos[i].line, loader->words[1]) != 0 || strcmp(counter_infos[i].name, dot + 1) != 0)
            continue;
        uint64_t number = 0;
        int r = loader_number(loader, loader->words[2], INT64_MAX, &number);
        if (r < 0)
            return r;
        values->counters[i] = (int64_t)number;
        values->has_counter[i] = true;
        return 0;
    }
    return loader_fail(loader, "no counter is called so: %s", dot ? dot + 1 : loader->words[1]);
}

static int line_cgroup(struct loader *loader)
{
    if (loader->word_count < 3)
        return loader_fail(loader, "cgroup wants an id and a path");
    struct cgroup *cgroup = snapshot_add_cgroup(loader->snapshot);
    if (cgroup == NULL)
        return -ENOMEM;
    cgroup->path = loader->words[2];
    for (size_t i = 3; i < loader->word_count; i++) {
        char *value;
        const char *key = loader_key(loader->words[i], &value);
        if (value != NULL && strcmp(key, "unit") == 0)
            cgroup->unit = value;
        else if (value != NULL && strcmp(key, "container") == 0)
            cgroup->container = value;
        else
            return loader_fail(loader, "cgroup has no %s", key);
    }
    return loader_number(loader, loader->words[1], UINT64_MAX, &cgroup->id);
}

static int line_gap(struct loader *loader)
{
    const char *text = NULL, *remedy = NULL;
    for (size_t i = 2; i < loader->word_count; i++) {
        char *value;
        const char *key = loader_key(loader->words[i], &value);
        if (strcmp(key, "text") == 0)
            text = value;
        else if (strcmp(key, "remedy") == 0)
            remedy = value;
    }
    if (loader->word_count != 4 || text == NULL || remedy == NULL)
        return loader_fail(loader, "gap wants an id, text= and remedy=");
    snapshot_add_gap(loader->snapshot, loader->words[1], text, remedy);
    return 0;
}

static int parse_line(struct loader *loader)
{
    static const struct {
        const char *word;
        int (*parse)(struct loader *loader);
        bool in_netns;
    } kinds[] = {
        { "host", line_host, false },
        { "source", line_source, false },
        { "netns", line_netns, false },
        { "setting", line_setting, true },
        { "counter", line_counter, true },
        { "cgroup", line_cgroup, false },
        { "process", loader_process_line, true },
        { "wait", loader_wait_line, true },
        { "conn", loader_conn_line, true },
        { "gap", line_gap, false },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(loader->words[0], kinds[i].word) != 0)
            continue;
        int r = kinds[i].in_netns ? default_netns(loader) : 0;
        return r < 0 ? r : kinds[i].parse(loader);
    }
    return loader_fail(loader, "no line starts with %s", loader->words[0]);
}

int fixture_parse(struct snapshot *snapshot, const char *name, const char *text, struct error *err)
{
    struct loader loader = { .snapshot = snapshot, .name = name, .err = err, .next_inode = 20001, .next_cookie = 4097 };
    snapshot->host_name = "web-3";
    snapshot->os = "linux";
    snapshot->kernel = "6.18.44";
    snapshot->source = "linux-sock-diag";
    snapshot->taken_at_ms = 1769860991123;
    snapshot->elapsed_us = 12300;
    snapshot->page_bytes = 4096;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        loader.line++;
        int r = split(&loader, text, length);
        if (r == 0 && loader.word_count > 0)
            r = parse_line(&loader);
        if (r < 0)
            return r;
        text += length + (text[length] == '\n');
    }
    return default_netns(&loader);
}

int fixture_load(struct snapshot *snapshot, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(err, -errno, path, "cannot be read: %s", strerror(errno));
    char *text = calloc(1, FILE_MAX + 1);
    int r = 0;
    if (text == NULL || fread(text, 1, FILE_MAX, file) == FILE_MAX || ferror(file))
        r = error_set(err, -EIO, path, "cannot be read, or is larger than a fixture should be");
    fclose(file);
    if (r == 0)
        r = fixture_parse(snapshot, path, text, err);
    free(text);
    return r;
}

void fixture_must(struct snapshot *snapshot, const char *text)
{
    struct error err;
    snapshot_init(snapshot);
    if (fixture_parse(snapshot, "fixture", text, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.subject, err.message);
        abort();
    }
}
