/*
 * tcpwhy config: prints the configuration in force and where each value comes from. The output is itself a
 * configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/inspect.h"

struct config_options {
    const char *file;
    bool json;
};

static int set_file(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file");
    ((struct config_options *)target)->file = value;
    return 0;
}

static const struct option_row config_rows[] = {
    { 0, "config", "FILE", "this configuration instead of the usual ones", set_file },
    { 'j', "json", NULL, "print JSON", .flag = offsetof(struct config_options, json) },
    { 0 },
};

/* --- the policy in force ---------------------------------------------------------------------------------------- */

static struct origin origin_of(const struct policy *policy, const char *finding, unsigned limit)
{
    const struct limit_setting *setting = policy_find(&policy->settings, finding, limit);
    return setting != NULL ? setting->origin : (struct origin){ 0 };
}

static void add_word(struct buf *out, const char *word)
{
    char text[SELECT_WORD_MAX];
    selection_word(word, text);
    buf_printf(out, "%s%s", out->length > 0 ? ", " : "", text);
}

static void add_ends(struct buf *out, const struct select_endpoint *ends, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        buf_str(out, i > 0 ? ", " : "");
        bool v6 = ends[i].has_net && ends[i].has_port && !ip_is_v4(&ends[i].net.address);
        buf_str(out, v6 ? "[" : "");
        if (ends[i].has_net)
            ip_net_format(out, &ends[i].net);
        buf_str(out, v6 ? "]" : "");
        if (ends[i].has_port) {
            buf_char(out, ':');
            select_format_ports(out, &ends[i].ports);
        }
    }
}

static void add_states(struct buf *out, uint32_t states)
{
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        if ((states & STATE_BIT(state)) != 0)
            add_word(out, state_name((enum conn_state)state));
    }
}

enum { TERM_PROCESS, TERM_PORT, TERM_LOCAL, TERM_PEER, TERM_NETNS, TERM_STATE, TERM_FINDING, TERM_COUNT };
static const char *const term_names[TERM_COUNT] = { "process", "port", "local", "peer", "netns", "state", "finding" };

/* Appends one term of a selection as it is written in a file. Appends nothing if the selection does not have it. */
static void add_term(struct buf *out, const struct selection *selection, unsigned term)
{
    switch (term) {
    case TERM_PROCESS:
        for (unsigned i = 0; i < selection->name_count; i++)
            add_word(out, selection->names[i]);
        break;
    case TERM_PORT:
        for (unsigned i = 0; i < selection->port_count; i++) {
            buf_str(out, i > 0 ? ", " : "");
            select_format_ports(out, &selection->ports[i]);
        }
        break;
    case TERM_LOCAL:
        add_ends(out, selection->locals, selection->local_count);
        break;
    case TERM_PEER:
        add_ends(out, selection->peers, selection->peer_count);
        break;
    case TERM_NETNS:
        buf_str(out, selection->netns != NULL ? selection->netns : "");
        break;
    case TERM_STATE:
        add_states(out, selection->states);
        break;
    default:
        for (unsigned i = 0; i < selection->cause_count; i++)
            add_word(out, selection->causes[i]);
    }
}

/* --- as text ---------------------------------------------------------------------------------------------------- */

/* "name = value      ; /etc/tcpwhy.conf, line 3" */
static void print_value(const char *name, const char *value, const struct origin *origin)
{
    enum { ORIGIN_COLUMN = 32 };
    struct buf line = { 0 };
    buf_printf(&line, "%s = ", name);
    text_escape(&line, value);
    if (origin != NULL) {
        buf_repeat(&line, " ", line.length < ORIGIN_COLUMN ? ORIGIN_COLUMN - line.length : 1);
        if (origin->file != NULL) {
            buf_str(&line, "; ");
            text_escape(&line, origin->file);
            buf_printf(&line, ", line %u", origin->line);
        } else {
            buf_str(&line, "; default");
        }
    }
    printf("%s\n", buf_text(&line));
    buf_deinit(&line);
}

static void print_section(const char *kind, const char *name, const struct origin *origin)
{
    struct buf line = { 0 };
    buf_printf(&line, "\n[%s ", kind);
    text_escape(&line, name);
    buf_str(&line, "] ; ");
    text_escape(&line, origin->file);
    buf_printf(&line, ", line %u", origin->line);
    printf("%s\n", buf_text(&line));
    buf_deinit(&line);
}

static void print_selection(const struct selection *selection)
{
    for (unsigned term = 0; term < TERM_COUNT; term++) {
        struct buf value = { 0 };
        add_term(&value, selection, term);
        if (value.length > 0)
            print_value(term_names[term], buf_text(&value), NULL);
        buf_deinit(&value);
    }
}

static void print_service(const struct service *service)
{
    print_section("service", service->name, &service->origin);
    print_selection(&service->selection);
    for (size_t i = 0; i < service->settings.count; i++) {
        const struct limit_setting *setting = &service->settings.items[i];
        struct buf name = { 0 }, value = { 0 };
        buf_printf(&name, "%s.%s", setting->finding, limit_infos[setting->limit].name);
        limit_format(setting->limit, setting->value, &value);
        print_value(buf_text(&name), buf_text(&value), &setting->origin);
        buf_deinit(&name);
        buf_deinit(&value);
    }
}

static void print_ignore(const struct ignore *ignore)
{
    print_section("ignore", ignore->name, &ignore->origin);
    print_selection(&ignore->selection);
    print_value("reason", ignore->reason, NULL);
    if (ignore->until != NULL)
        print_value("until", ignore->until, NULL);
}

static void print_file(const char *path)
{
    struct buf line = { 0 };
    buf_str(&line, "# read: ");
    text_escape(&line, path);
    printf("%s%s\n", buf_text(&line), access(path, F_OK) == 0 ? "" : " (there is none)");
    buf_deinit(&line);
}

static void print_head(const struct config_options *options)
{
    struct buf own = { 0 };
    puts("# The configuration in force, and where each value comes from: tcpwhy.conf(5)");
    print_file(options->file != NULL ? options->file : config_system_file);
    if (options->file == NULL && config_user_file(&own))
        print_file(buf_text(&own));
    buf_deinit(&own);
    puts("#");
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        printf("# %-18s %s\n", limit_infos[i].name, limit_infos[i].help);
    puts("# 0                  this does not count");
}

static void print_text(const struct config_options *options, const struct policy *policy)
{
    print_head(options);
    struct config_finding finding;
    for (unsigned i = 0; cmd_config_finding(i, &finding); i++) {
        printf("\n[%s]\n", finding.id);
        struct limits limits = cmd_limits(policy, finding.id);
        for (unsigned k = 0; k < LIMIT_COUNT; k++) {
            if ((finding.limits & 1U << k) == 0)
                continue;
            struct buf value = { 0 };
            struct origin origin = origin_of(policy, finding.id, k);
            limit_format(k, limit_value(&limits, k), &value);
            print_value(limit_infos[k].name, buf_text(&value), &origin);
            buf_deinit(&value);
        }
    }
    for (size_t i = 0; i < policy->service_count; i++)
        print_service(&policy->services[i]);
    for (size_t i = 0; i < policy->ignore_count; i++)
        print_ignore(&policy->ignores[i]);
}

/* --- as JSON ---------------------------------------------------------------------------------------------------- */

static void write_origin(struct json *json, const struct origin *origin)
{
    json_member_string(json, "file", origin->file);
    if (origin->file != NULL)
        json_member_uint(json, "line", origin->line);
    else
        json_member_null(json, "line");
}

static void write_value(
    struct json *json, const char *finding, unsigned limit, uint64_t value, const struct origin *origin)
{
    struct buf text = { 0 };
    limit_format(limit, value, &text);
    json_object(json);
    if (finding != NULL)
        json_member_string(json, "finding", finding);
    json_member_string(json, "name", limit_infos[limit].name);
    json_member_string(json, "value", buf_text(&text));
    write_origin(json, origin);
    json_object_end(json);
    buf_deinit(&text);
}

static void write_selection(struct json *json, const struct selection *selection)
{
    for (unsigned term = 0; term < TERM_COUNT; term++) {
        struct buf value = { 0 };
        add_term(&value, selection, term);
        if (value.length > 0)
            json_member_string(json, term_names[term], buf_text(&value));
        buf_deinit(&value);
    }
}

static void write_findings(struct json *json, const struct policy *policy)
{
    json_key(json, "findings");
    json_array(json);
    struct config_finding finding;
    for (unsigned i = 0; cmd_config_finding(i, &finding); i++) {
        struct limits limits = cmd_limits(policy, finding.id);
        for (unsigned k = 0; k < LIMIT_COUNT; k++) {
            struct origin origin = origin_of(policy, finding.id, k);
            if ((finding.limits & 1U << k) != 0)
                write_value(json, finding.id, k, limit_value(&limits, k), &origin);
        }
    }
    json_array_end(json);
}

static void write_services(struct json *json, const struct policy *policy)
{
    json_key(json, "services");
    json_array(json);
    for (size_t i = 0; i < policy->service_count; i++) {
        const struct service *service = &policy->services[i];
        json_object(json);
        json_member_string(json, "name", service->name);
        write_origin(json, &service->origin);
        write_selection(json, &service->selection);
        json_key(json, "findings");
        json_array(json);
        for (size_t k = 0; k < service->settings.count; k++) {
            const struct limit_setting *setting = &service->settings.items[k];
            write_value(json, setting->finding, setting->limit, setting->value, &setting->origin);
        }
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_ignores(struct json *json, const struct policy *policy)
{
    json_key(json, "ignores");
    json_array(json);
    for (size_t i = 0; i < policy->ignore_count; i++) {
        const struct ignore *ignore = &policy->ignores[i];
        json_object(json);
        json_member_string(json, "name", ignore->name);
        write_origin(json, &ignore->origin);
        write_selection(json, &ignore->selection);
        json_member_string(json, "reason", ignore->reason);
        json_member_string(json, "until", ignore->until);
        json_object_end(json);
    }
    json_array_end(json);
}

static int print_json(const struct policy *policy)
{
    struct json json;
    json_begin(&json, stdout, false);
    json_object(&json);
    json_member_string(&json, "schema", "tcpwhy.config/1");
    write_findings(&json, policy);
    write_services(&json, policy);
    write_ignores(&json, policy);
    json_object_end(&json);
    return json_end(&json);
}

/* --- the command ------------------------------------------------------------------------------------------------ */

static int run(const struct command *self, int argc, char **argv)
{
    struct config_options options = { 0 };
    const struct option_group groups[] = { { "Configuration", config_rows, &options, NULL }, { 0 } };
    struct error err = { 0 };
    int result = options_parse_only(self, groups, argc, argv, "a file goes after --config", &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (result < 0)
        return cmd_fail(self, &err);

    struct policy policy;
    policy_init(&policy);
    int status = STATUS_HEALTHY;
    if (cmd_read_config(options.file, &policy, &err) < 0)
        status = cmd_fail(self, &err);
    else if (!options.json)
        print_text(&options, &policy);
    else if ((result = print_json(&policy)) < 0)
        status = cmd_fail_to_write(self, result);
    policy_deinit(&policy);
    return status;
}

const struct command command_config = {
    .name = "config",
    .summary = "print the configuration in force, and where each value comes from",
    .synopsis = "tcpwhy config [OPTIONS]",
    .details =
        "Reads /etc/tcpwhy.conf and then ~/.config/tcpwhy.conf (XDG_CONFIG_HOME), if they exist, and prints the\n"
        "values that follow from them and from the defaults. If a line is not understood, the error names it.\n",
    .examples = "  tcpwhy config\n"
                "      what is in force\n"
                "  tcpwhy config --config new.conf\n"
                "      is this file correct, and what would it change?\n"
                "  tcpwhy config | grep -v '; default$'\n"
                "      only what differs from the defaults\n",
    .run = run,
};
