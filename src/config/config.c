/*
 * The meaning of configuration files. inih splits the text into sections, names and values; this file interprets them.
 *
 * inih passes its handler neither the line number nor the beginning of a section. It also treats the rest of a line
 * longer than INI_MAX_LINE bytes as another line. So next_line() passes it one line at a time, counts the lines, and
 * examines each first.
 */
#include "config/config.h"

#include <errno.h>
#include <ini.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/suggest.h"

enum { LINE_MAX = 190, NAME_MAX = 64 };

enum section_kind { SECTION_NONE, SECTION_FINDING, SECTION_SERVICE, SECTION_IGNORE };

struct reading {
    const char *at; /* the rest of the text */
    size_t left;
    unsigned line;
    const char *file; /* in the policy's arena */
    const struct config_findings *findings;
    struct policy *policy;
    struct error *err;
    int result; /* the first error, or 0 */

    enum section_kind kind;
    unsigned section_line;
    const struct config_finding *finding;
    struct service *service;
    struct ignore *ignore;
};

/* --- errors ----------------------------------------------------------------------------------------------------- */

static int refuse_at(struct reading *reading, unsigned line, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int refuse_at(struct reading *reading, unsigned line, const char *subject, const char *format, ...)
{
    if (reading->result < 0) /* only the first */
        return reading->result;
    struct buf message = { 0 };
    if (subject != NULL)
        buf_printf(&message, "'%.*s' ", NAME_MAX, subject);
    va_list args;
    va_start(args, format);
    buf_vprintf(&message, format, args);
    va_end(args);
    char where[sizeof reading->err->subject];
    enum { FILE_MAX = 100 };
    size_t length = strlen(reading->file);
    snprintf(where, sizeof where, "%s:%u", reading->file + (length > FILE_MAX ? length - FILE_MAX : 0), line);
    reading->result = error_set(reading->err, -EINVAL, where, "%s", buf_text(&message));
    buf_deinit(&message);
    return reading->result;
}

#define refuse(reading, ...) refuse_at((reading), (reading)->line, __VA_ARGS__)

/* Refuses a value with the error that a parser of src/model has returned. */
static int refuse_value(struct reading *reading, const char *name, const struct error *why)
{
    if (why->subject[0] != '\0')
        return refuse(reading, NULL, "%s: '%s' %s", name, why->subject, why->message);
    return refuse(reading, NULL, "%s: %s", name, why->message);
}

/* --- sections --------------------------------------------------------------------------------------------------- */

static const struct config_finding *find_finding(const struct reading *reading, const char *id, size_t length)
{
    for (size_t i = 0; i < reading->findings->count; i++) {
        const struct config_finding *finding = &reading->findings->items[i];
        if (strlen(finding->id) == length && memcmp(finding->id, id, length) == 0)
            return finding;
    }
    return NULL;
}

static struct origin here(const struct reading *reading)
{
    return (struct origin){ .file = reading->file, .line = reading->line };
}

static int begin_service(struct reading *reading, const char *name)
{
    struct policy *policy = reading->policy;
    struct service *service = NULL;
    for (size_t i = 0; i < policy->service_count && service == NULL; i++) {
        if (strcmp(policy->services[i].name, name) == 0)
            service = &policy->services[i];
    }
    if (service != NULL && service->origin.file == reading->file)
        return refuse(reading, name, "is a second service of that name; the first is in line %u", service->origin.line);
    if (service == NULL) {
        if (policy->service_count == POLICY_SERVICES_MAX)
            return refuse(reading, name, "is one service too many: at most %d", POLICY_SERVICES_MAX);
        xvec_grow(
            (void **)&policy->services, policy->service_count, &policy->service_capacity, sizeof *policy->services);
        service = &policy->services[policy->service_count++];
        *service = (struct service){ 0 };
    }
    service->settings.count = 0;
    service->selection = (struct selection){ 0 };
    service->name = arena_strdup(&policy->arena, name);
    service->origin = here(reading);
    reading->service = service;
    reading->kind = SECTION_SERVICE;
    return 0;
}

static int begin_ignore(struct reading *reading, const char *name)
{
    struct policy *policy = reading->policy;
    struct ignore *ignore = NULL;
    for (size_t i = 0; i < policy->ignore_count && ignore == NULL; i++) {
        if (strcmp(policy->ignores[i].name, name) == 0)
            ignore = &policy->ignores[i];
    }
    if (ignore != NULL && ignore->origin.file == reading->file)
        return refuse(reading, name, "is a second ignore of that name; the first is in line %u", ignore->origin.line);
    if (ignore == NULL) {
        if (policy->ignore_count == POLICY_IGNORES_MAX)
            return refuse(reading, name, "is one ignore too many: at most %d", POLICY_IGNORES_MAX);
        xvec_grow((void **)&policy->ignores, policy->ignore_count, &policy->ignore_capacity, sizeof *policy->ignores);
        ignore = &policy->ignores[policy->ignore_count++];
    }
    *ignore = (struct ignore){ .name = arena_strdup(&policy->arena, name), .origin = here(reading) };
    reading->ignore = ignore;
    reading->kind = SECTION_IGNORE;
    return 0;
}

/* Checks at the end of a section that nothing is missing. */
static int end_section(struct reading *reading)
{
    enum section_kind kind = reading->kind;
    reading->kind = SECTION_NONE;
    if (kind == SECTION_IGNORE && selection_is_empty(&reading->ignore->selection))
        return refuse_at(reading, reading->section_line, reading->ignore->name,
            "ignores nothing in particular: name a process, port, peer, local, state, netns or finding");
    if (kind == SECTION_IGNORE && reading->ignore->reason == NULL)
        return refuse_at(reading, reading->section_line, reading->ignore->name,
            "needs a reason: 'reason = …', for whoever wonders later");
    if (kind == SECTION_SERVICE && selection_is_empty(&reading->service->selection))
        return refuse_at(reading, reading->section_line, reading->service->name,
            "names no service: by process, port, local, peer or netns");
    return 0;
}

static int begin_section(struct reading *reading, const char *name)
{
    static const char service[] = "service ", ignore[] = "ignore ";
    if (end_section(reading) < 0)
        return reading->result;
    reading->section_line = reading->line;
    const struct config_finding *finding = find_finding(reading, name, strlen(name));
    if (finding != NULL) {
        reading->finding = finding;
        reading->kind = SECTION_FINDING;
        return 0;
    }
    if (strncmp(name, service, strlen(service)) == 0 && name[strlen(service)] != '\0')
        return begin_service(reading, name + strlen(service));
    if (strncmp(name, ignore, strlen(ignore)) == 0 && name[strlen(ignore)] != '\0')
        return begin_ignore(reading, name + strlen(ignore));
    struct suggestion suggestion = { .wanted = name };
    suggest(&suggestion, "service NAME");
    suggest(&suggestion, "ignore NAME");
    for (size_t i = 0; i < reading->findings->count; i++)
        suggest(&suggestion, reading->findings->items[i].id);
    if (suggestion.nearest == NULL)
        return refuse(reading, name, "is no section: a finding, 'service NAME' or 'ignore NAME' is one");
    return refuse(reading, name, "is no section; did you mean '[%s]'?", suggestion.nearest);
}

/* --- limits ----------------------------------------------------------------------------------------------------- */

static int no_limit(struct reading *reading, const struct config_finding *finding, const char *name)
{
    struct suggestion suggestion = { .wanted = name };
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        if ((finding->limits & 1U << i) != 0)
            suggest(&suggestion, limit_infos[i].name);
        else if (strcmp(limit_infos[i].name, name) == 0)
            return refuse(reading, name, "has no meaning for %s; 'tcpwhy config' shows what has", finding->id);
    }
    char nearest[SUGGESTION_TEXT_MAX];
    return refuse(reading, name, "is no setting of %s; %s", finding->id,
        suggestion_text(&suggestion, "'tcpwhy config' shows them", nearest));
}

static int set_limit(struct reading *reading, const struct config_finding *finding, struct limit_settings *settings,
    const char *name, const char *value)
{
    unsigned limit = 0;
    while (limit < LIMIT_COUNT && ((finding->limits & 1U << limit) == 0 || strcmp(limit_infos[limit].name, name) != 0))
        limit++;
    if (limit == LIMIT_COUNT)
        return no_limit(reading, finding, name);
    const struct limit_setting *old = policy_find(settings, finding->id, limit);
    if (old != NULL && old->origin.file == reading->file)
        return refuse(reading, name, "is set twice, first in line %u", old->origin.line);
    struct limit_setting setting = { .finding = finding->id, .limit = limit, .origin = here(reading) };
    struct error why = { 0 };
    if (limit_parse(limit, value, &setting.value, &why) < 0)
        return refuse_value(reading, name, &why);
    policy_set(settings, &setting);
    return 0;
}

/* --- services and ignores --------------------------------------------------------------------------------------- */

static int set_netns(struct selection *selection, const char *value, struct error *err)
{
    if (selection->netns != NULL)
        return error_set(err, -EINVAL, value, "is a second one");
    selection->netns = value;
    return 0;
}

struct term {
    const char *name;
    int (*add)(struct selection *selection, const char *value, struct error *err);
    bool ignores_only;
};

static const struct term terms[] = {
    { "process", selection_add_names, false },
    { "port", selection_add_ports, false },
    { "local", selection_add_local, false },
    { "peer", selection_add_peer, false },
    { "netns", set_netns, false },
    { "state", selection_add_states, true },
    { "finding", selection_add_causes, true },
};
enum { TERM_COUNT = sizeof terms / sizeof *terms };

static const struct term *find_term(const char *name, bool of_ignore)
{
    for (unsigned i = 0; i < TERM_COUNT; i++) {
        if (strcmp(terms[i].name, name) == 0 && (of_ignore || !terms[i].ignores_only))
            return &terms[i];
    }
    return NULL;
}

/* Refuses a pattern that fits no finding. It is probably misspelt, and would ignore nothing. */
static int check_findings(struct reading *reading, const struct selection *selection)
{
    char nearest[SUGGESTION_TEXT_MAX];
    for (unsigned i = 0; i < selection->cause_count; i++) {
        struct selection one = { .causes = { selection->causes[i] }, .cause_count = 1 };
        char word[SELECT_WORD_MAX];
        selection_word(selection->causes[i], word);
        struct suggestion suggestion = { .wanted = word };
        bool found = false;
        for (size_t k = 0; k < reading->findings->count && !found; k++) {
            found = selection_matches_cause(&one, reading->findings->items[k].id);
            suggest(&suggestion, reading->findings->items[k].id);
        }
        if (!found)
            return refuse(reading, word, "is no finding; %s",
                suggestion_text(&suggestion, "'tcpwhy explain' lists them", nearest));
    }
    return 0;
}

static int add_term(struct reading *reading, const struct term *term, struct selection *selection, const char *value)
{
    struct error why = { 0 };
    const char *copy = arena_strdup(&reading->policy->arena, value); /* selections do not copy their words */
    if (term->add(selection, copy, &why) < 0)
        return refuse_value(reading, term->name, &why);
    return check_findings(reading, selection);
}

static int set_in_service(struct reading *reading, const char *name, const char *value)
{
    struct service *service = reading->service;
    const struct term *term = find_term(name, false);
    if (term != NULL)
        return add_term(reading, term, &service->selection, value);
    const char *dot = strchr(name, '.');
    const struct config_finding *finding = dot != NULL ? find_finding(reading, name, (size_t)(dot - name)) : NULL;
    if (finding != NULL)
        return set_limit(reading, finding, &service->settings, dot + 1, value);
    struct suggestion suggestion = { .wanted = name };
    for (unsigned i = 0; i < TERM_COUNT; i++) {
        if (!terms[i].ignores_only)
            suggest(&suggestion, terms[i].name);
    }
    if (dot == NULL && suggestion.nearest == NULL)
        return refuse(reading, name, "is no setting of a service; a term such as port, or FINDING.SETTING?");
    if (dot == NULL)
        return refuse(
            reading, name, "is no setting of a service; did you mean '%s', or FINDING.SETTING?", suggestion.nearest);
    char id[NAME_MAX];
    snprintf(id, sizeof id, "%.*s", (int)(dot - name), name);
    suggestion = (struct suggestion){ .wanted = id };
    for (size_t i = 0; i < reading->findings->count; i++)
        suggest(&suggestion, reading->findings->items[i].id);
    if (suggestion.nearest == NULL)
        return refuse(reading, id, "is no finding; 'tcpwhy explain' lists them");
    return refuse(reading, id, "is no finding; did you mean '%s%s'?", suggestion.nearest, dot);
}

/* "2026-12-31": the end of that day, UTC. */
static int parse_day(const char *text, uint64_t *ret_ms)
{
    struct tm day = { 0 }, same;
    char again[16];
    const char *end = strlen(text) == strlen("2026-12-31") ? strptime(text, "%Y-%m-%d", &day) : NULL;
    if (end == NULL || *end != '\0')
        return -EINVAL;
    time_t midnight = timegm(&day);
    /* strptime() accepts the 31st in every month; timegm() turns it into a day of the next month. */
    if (midnight < 0 || gmtime_r(&midnight, &same) == NULL || strftime(again, sizeof again, "%Y-%m-%d", &same) == 0 ||
        strcmp(again, text) != 0)
        return -EINVAL;
    enum { DAY_S = 24 * 60 * 60 };
    *ret_ms = ((uint64_t)midnight + DAY_S) * 1000;
    return 0;
}

static int set_in_ignore(struct reading *reading, const char *name, const char *value)
{
    struct ignore *ignore = reading->ignore;
    const struct term *term = find_term(name, true);
    if (term != NULL)
        return add_term(reading, term, &ignore->selection, value);
    bool is_reason = strcmp(name, "reason") == 0;
    if (!is_reason && strcmp(name, "until") != 0) {
        struct suggestion suggestion = { .wanted = name };
        suggest(&suggestion, "reason");
        suggest(&suggestion, "until");
        for (unsigned i = 0; i < TERM_COUNT; i++)
            suggest(&suggestion, terms[i].name);
        char nearest[SUGGESTION_TEXT_MAX];
        return refuse(reading, name, "is no setting of an ignore; %s",
            suggestion_text(&suggestion, "reason, until or a term that selects would be one", nearest));
    }
    if ((is_reason ? ignore->reason : ignore->until) != NULL)
        return refuse(reading, name, "is set twice");
    if (is_reason && *value == '\0')
        return refuse(reading, NULL, "reason: is empty");
    if (!is_reason && parse_day(value, &ignore->until_ms) < 0)
        return refuse(reading, NULL, "until: '%s' is no day: 2026-12-31 would do", value);
    *(is_reason ? &ignore->reason : &ignore->until) = arena_strdup(&reading->policy->arena, value);
    return 0;
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

static int handle(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    (void)section; /* begin_section() has set reading->kind; inih shortens long names */
    if (reading->result < 0)
        return 0;
    switch (reading->kind) {
    case SECTION_NONE:
        refuse(reading, name, "stands before the first section");
        break;
    case SECTION_FINDING:
        set_limit(reading, reading->finding, &reading->policy->settings, name, value);
        break;
    case SECTION_SERVICE:
        set_in_service(reading, name, value);
        break;
    case SECTION_IGNORE:
        set_in_ignore(reading, name, value);
        break;
    }
    return reading->result == 0;
}

/* Begins a section if the line does so, by the same test as inih. */
static void begin_if_section(struct reading *reading, const char *line)
{
    const char *end = line[0] == '[' ? strchr(line, ']') : NULL;
    if (end == NULL)
        return;
    char name[LINE_MAX];
    snprintf(name, sizeof name, "%.*s", (int)(end - line - 1), line + 1);
    const char *rest = end + 1 + strspn(end + 1, " \t\r\n");
    if (*rest != '\0' && *rest != ';' && *rest != '#')
        refuse(reading, name, "is followed by more than a comment");
    else
        begin_section(reading, name);
}

/* fgets() for inih. */
static char *next_line(char *line, int size, void *stream)
{
    struct reading *reading = stream;
    if (reading->left == 0 || reading->result < 0)
        return NULL;
    const char *end = memchr(reading->at, '\n', reading->left);
    size_t length = end != NULL ? (size_t)(end - reading->at) + 1 : reading->left;
    reading->line++;
    if (length >= (size_t)size || length > LINE_MAX) {
        refuse(reading, NULL, "the line is longer than %d bytes; lists may be given in several lines", LINE_MAX);
        return NULL;
    }
    const char *start = reading->at;
    reading->at += length;
    reading->left -= length;
    if (memchr(start, '\0', length) != NULL) {
        refuse(reading, NULL, "the line holds a NUL byte: this is no text");
        return NULL;
    }
    /* For inih an indented line continues the previous value. Here indentation has no meaning, so it is skipped. */
    while (length > 0 && (*start == ' ' || *start == '\t')) {
        start++;
        length--;
    }
    memcpy(line, start, length);
    line[length] = '\0';
    begin_if_section(reading, line);
    return reading->result == 0 ? line : NULL;
}

int config_parse(const char *bytes, size_t length, const char *file, const struct config_findings *findings,
    struct policy *policy, struct error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (length >= strlen(byte_order_mark) && memcmp(bytes, byte_order_mark, strlen(byte_order_mark)) == 0) {
        bytes += strlen(byte_order_mark);
        length -= strlen(byte_order_mark);
    }
    struct error ignored = { 0 };
    struct reading reading = {
        .at = bytes,
        .left = length,
        .file = arena_strdup(&policy->arena, file),
        .findings = findings,
        .policy = policy,
        .err = err != NULL ? err : &ignored,
    };
    int broken = ini_parse_stream(next_line, &reading, handle, &reading);
    if (broken > 0 && reading.result == 0)
        refuse_at(&reading, (unsigned)broken, NULL, "is neither '[section]' nor 'name = value'");
    else if (broken < 0)
        refuse(&reading, NULL, "there is no memory");
    if (reading.result == 0)
        end_section(&reading);
    return reading.result;
}
