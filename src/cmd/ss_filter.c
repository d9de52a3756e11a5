#include "cmd/ss_filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/option_table.h"
#include "model/select.h"
#include "model/state.h"

/* --- words ------------------------------------------------------------------------------------------------------ */

enum { WORDS_MAX = 128, WORD_MAX = 80 };

struct filter_words {
    char items[WORDS_MAX][WORD_MAX];
    unsigned count, at;
};

static const char *const operators[] = { "==", "!=", ">=", "<=", "&&", "||", "=", ">", "<", "&", "|", "!", "(", ")" };

static size_t operator_length(const char *text)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strncmp(text, operators[i], strlen(operators[i])) == 0)
            return strlen(operators[i]);
    }
    return 0;
}

/* Splits at spaces and at operators, which may touch their neighbours. */
static int split(struct filter_words *words, const char *text, struct error *err)
{
    for (;;) {
        text += strspn(text, " \t");
        if (*text == '\0')
            return 0;
        size_t length = operator_length(text);
        if (length == 0)
            length = strcspn(text, " \t=!<>&|()");
        if (words->count == WORDS_MAX || length >= WORD_MAX)
            return error_set(err, -E2BIG, NULL, "the filter is too long");
        memcpy(words->items[words->count], text, length);
        words->items[words->count++][length] = '\0';
        text += length;
    }
}

static const char *peek(const struct filter_words *words)
{
    return words->at < words->count ? words->items[words->at] : "";
}

static bool is_one_of(const char *word, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcasecmp(word, *names) == 0)
            return true;
    }
    return false;
}

static bool skip_one_of(struct filter_words *words, const char *const *names)
{
    bool is_there = is_one_of(peek(words), names);
    words->at += is_there;
    return is_there;
}

/* --- terms ------------------------------------------------------------------------------------------------------ */

static const char *const and_words[] = { "and", "&&", "&", NULL };
static const char *const or_words[] = { "or", "||", "|", NULL };
static const char *const open_words[] = { "(", NULL };
static const char *const close_words[] = { ")", NULL };

/* What a term is about. */
enum kind { KIND_SRC, KIND_DST, KIND_SPORT, KIND_DPORT, KIND_STATE, KIND_EXCLUDE, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = { "src", "dst", "sport", "dport", "state", "exclude" };

struct filter {
    struct filter_words words;
    struct buf values[KIND_COUNT]; /* comma-separated */
    struct buf either;             /* ports of either end */
};

static enum kind kind_of(const char *word)
{
    enum kind kind = KIND_SRC;
    while (kind < KIND_COUNT && strcasecmp(word, kind_names[kind]) != 0)
        kind++;
    return kind;
}

static void add_value(struct buf *list, const char *value)
{
    buf_printf(list, "%s%s", list->length > 0 ? "," : "", value);
}

/* Names of ss for several states: scan_state() of ss.c. */
static uint32_t states_of(const char *word)
{
    const uint32_t all = STATE_BIT(STATE_COUNT) - 1;
    const uint32_t connected = all & ~(STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_CLOSED) | STATE_BIT(STATE_BOUND));
    const uint32_t bucket = STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_TIME_WAIT);
    const struct {
        const char *name;
        uint32_t states;
    } several[] = { { "all", all }, { "connected", connected },
        { "synchronized", connected & ~STATE_BIT(STATE_SYN_SENT) }, { "bucket", bucket }, { "big", all & ~bucket } };
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        if (strcasecmp(word, several[i].name) == 0)
            return several[i].states;
    }
    enum conn_state state = state_parse(word);
    return state != STATE_UNKNOWN ? STATE_BIT(state) : 0;
}

static void add_states(struct buf *list, uint32_t states)
{
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        if ((states & STATE_BIT(state)) != 0)
            add_value(list, state_name((enum conn_state)state));
    }
}

static int cannot(const char *word, struct error *err)
{
    return error_set(err, -EINVAL, word, "cannot be read in a filter of ss; --state, --port, --local, --peer select");
}

/* "close-wait" or "close-wait,last-ack" */
static int add_state_word(struct buf *value, enum kind kind, const char *word, struct error *err)
{
    uint32_t states = states_of(word);
    if (kind == KIND_EXCLUDE && states == 0)
        return error_set(err, -EINVAL, word, "is not a TCP state");
    if (states != 0)
        add_states(value, states);
    else
        add_value(value, word); /* several of them; or the option says what is wrong with it */
    return 0;
}

/* ":443", "443", "*:https", with an operator that makes a range of it */
static int add_ports(struct buf *value, const char *comparison, const char *word, struct error *err)
{
    enum { PORT_MAX = 65535 };
    const char *colon = strrchr(word, ':');
    struct select_ports range;
    if (select_parse_ports(colon != NULL ? colon + 1 : word, &range) < 0)
        return error_set(err, -EINVAL, word, "is not a port: :443, :https");
    unsigned first = range.first, last = range.last;
    if (comparison[0] == '>' || comparison[0] == 'g') {
        first = strcmp(comparison, ">") == 0 || strcmp(comparison, "gt") == 0 ? last + 1 : first;
        last = PORT_MAX;
    } else if (comparison[0] == '<' || comparison[0] == 'l') {
        last = strcmp(comparison, "<") == 0 || strcmp(comparison, "lt") == 0 ? first - 1 : last;
        first = 1;
    }
    if (first > last)
        return error_set(err, -EINVAL, word, "leaves no port");
    struct buf text = { 0 };
    select_format_ports(&text, &(struct select_ports){ (uint16_t)first, (uint16_t)last });
    add_value(value, buf_text(&text));
    buf_deinit(&text);
    return 0;
}

/* Parses "sport = :443". */
static int parse_term(struct filter_words *words, enum kind *ret_kind, struct buf *value, struct error *err)
{
    static const char *const equal[] = { "=", "==", "eq", NULL };
    static const char *const comparisons[] = { ">", ">=", "<", "<=", "gt", "ge", "geq", "lt", "le", "leq", NULL };
    enum kind kind = kind_of(peek(words));
    if (kind == KIND_COUNT && words->at == words->count)
        return error_set(err, -EINVAL, NULL, "the filter ends too early");
    if (kind == KIND_COUNT)
        return cannot(peek(words), err);
    words->at++;
    const char *comparison = "=";
    bool is_port = kind == KIND_SPORT || kind == KIND_DPORT;
    if (is_port && is_one_of(peek(words), comparisons))
        comparison = words->items[words->at++];
    else if (kind <= KIND_DPORT)
        (void)skip_one_of(words, equal);
    const char *word = peek(words);
    if (*word == '\0')
        return error_set(err, -EINVAL, kind_names[kind], "wants a value in a filter of ss");
    if (operator_length(word) > 0)
        return cannot(word, err);
    words->at++;
    *ret_kind = kind;
    if (is_port)
        return add_ports(value, comparison, word, err);
    if (kind >= KIND_STATE)
        return add_state_word(value, kind, word, err);
    add_value(value, word);
    return 0;
}

/* --- and, or ---------------------------------------------------------------------------------------------------- */

/* "or" can be said by an option if it is about one thing, or about the port of either end. */
static int store(struct filter *filter, struct buf values[KIND_COUNT], struct error *err)
{
    unsigned kinds = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        kinds += values[kind].length > 0;
    const char *sport = buf_text(&values[KIND_SPORT]), *dport = buf_text(&values[KIND_DPORT]);
    bool is_either = kinds == 2 && *sport != '\0' && strcmp(sport, dport) == 0;
    if (kinds > 1 && !is_either)
        return error_set(
            err, -EINVAL, "or", "is understood between terms of one kind, and between equal sport and dport");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct buf *list = is_either ? &filter->either : &filter->values[kind];
        if (values[kind].length == 0)
            continue;
        if (list->length > 0 && kind < KIND_STATE)
            return error_set(err, -EINVAL, kind_names[kind], "is said twice, and both cannot be true");
        add_value(list, buf_text(&values[kind]));
        if (is_either)
            break;
    }
    return 0;
}

static int parse_or(struct filter *filter, struct error *err)
{
    struct buf values[KIND_COUNT] = { 0 };
    int result;
    do {
        struct buf value = { 0 };
        enum kind kind = KIND_SRC;
        result = parse_term(&filter->words, &kind, &value, err);
        if (result == 0)
            add_value(&values[kind], buf_text(&value));
        buf_deinit(&value);
    } while (result == 0 && skip_one_of(&filter->words, or_words));
    if (result == 0)
        result = store(filter, values, err);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        buf_deinit(&values[kind]);
    return result;
}

static int parse_and(struct filter *filter, struct error *err)
{
    struct filter_words *words = &filter->words;
    unsigned open = 0;
    while (words->at < words->count) {
        if (skip_one_of(words, open_words)) {
            open++;
            continue;
        }
        int result = parse_or(filter, err);
        if (result < 0)
            return result;
        while (open > 0 && skip_one_of(words, close_words))
            open--;
        if (is_one_of(peek(words), or_words))
            return cannot(peek(words), err);
        if (skip_one_of(words, and_words) && words->at == words->count)
            return error_set(err, -EINVAL, NULL, "the filter ends too early");
    }
    return open == 0 ? 0 : error_set(err, -EINVAL, "(", "is not closed");
}

/* --- options ---------------------------------------------------------------------------------------------------- */

static int set_option(const struct option_group *groups, const char *name, const struct buf *values, struct error *err)
{
    if (values->length == 0)
        return 0;
    return option_set(groups, name, buf_text(values), err);
}

/* An address and a port of one end are one term of the option: --local 10.0.0.5:443. */
static int set_end(const struct option_group *groups, const char *name, const struct buf *addresses,
    const struct buf *ports, struct error *err)
{
    if (ports->length == 0)
        return set_option(groups, name, addresses, err);
    struct buf list = { 0 };
    const char *address = buf_text(addresses);
    do {
        size_t length = strcspn(address, ",");
        const char *port = buf_text(ports);
        do {
            size_t digits = strcspn(port, ",");
            bool is_bare_v6 = memchr(address, ':', length) != NULL && *address != '[';
            buf_printf(&list, "%s%s%.*s%s:%.*s", list.length > 0 ? "," : "", is_bare_v6 ? "[" : "", (int)length,
                address, is_bare_v6 ? "]" : "", (int)digits, port);
            port += digits;
        } while (*port++ == ',');
        address += length;
    } while (*address++ == ',');
    int result = option_set(groups, name, buf_text(&list), err);
    buf_deinit(&list);
    return result;
}

static int set_all_but(const struct option_group *groups, const char *names, struct error *err)
{
    uint32_t states = STATE_BIT(STATE_COUNT) - 1;
    if (*names == '\0')
        return 0;
    while (*names != '\0') {
        char name[WORD_MAX];
        size_t length = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        states &= ~STATE_BIT(state_parse(name));
        names += length + (names[length] == ',');
    }
    struct buf list = { 0 };
    add_states(&list, states);
    int result = option_set(groups, "state", buf_text(&list), err);
    buf_deinit(&list);
    return result;
}

static int apply(const struct filter *filter, const struct option_group *groups, struct error *err)
{
    const struct buf *values = filter->values;
    int result = 0;
    if (values[KIND_STATE].length > 0 && values[KIND_EXCLUDE].length > 0)
        return error_set(err, -EINVAL, "exclude", "goes without state");
    result = set_option(groups, "state", &values[KIND_STATE], err);
    if (result == 0)
        result = set_all_but(groups, buf_text(&values[KIND_EXCLUDE]), err);
    if (result == 0)
        result = set_option(groups, "port", &filter->either, err);
    if (result == 0)
        result = set_end(groups, "local", &values[KIND_SRC], &values[KIND_SPORT], err);
    if (result == 0)
        result = set_end(groups, "peer", &values[KIND_DST], &values[KIND_DPORT], err);
    return result;
}

bool ss_filter_begins(const char *word)
{
    struct filter_words words = { 0 };
    struct error ignored = { 0 };
    return split(&words, word, &ignored) == 0 && words.count > 0 &&
        (kind_of(words.items[0]) != KIND_COUNT || is_one_of(words.items[0], open_words));
}

int ss_filter_apply(const struct option_group *groups, int count, char **words, struct error *err)
{
    struct filter filter = { 0 };
    int result = 0;
    for (int i = 0; i < count && result == 0; i++)
        result = split(&filter.words, words[i], err);
    if (result == 0)
        result = parse_and(&filter, err);
    if (result == 0)
        result = apply(&filter, groups, err);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        buf_deinit(&filter.values[kind]);
    buf_deinit(&filter.either);
    return result;
}

const char *ss_filter_hint(const char *word, const char *otherwise, char ret_hint[SS_HINT_MAX])
{
    struct select_ports ports;
    struct ip_net net;
    enum conn_state state = state_parse(word);
    if (select_parse_ports(word + (*word == ':'), &ports) == 0)
        snprintf(ret_hint, SS_HINT_MAX, "--port %.40s selects that", word + (*word == ':'));
    else if (state != STATE_UNKNOWN)
        snprintf(ret_hint, SS_HINT_MAX, "--state %s selects that", state_name(state));
    else if (ip_net_parse(word, &net) == 0)
        snprintf(ret_hint, SS_HINT_MAX, "--local or --peer %.40s selects that", word);
    else
        snprintf(ret_hint, SS_HINT_MAX, "%s", otherwise);
    return ret_hint;
}
