#include "cmd/commands.h"

#include <string.h>

#include "base/suggest.h"
#include "cmd/output.h"
#include "cmd/ss_filter.h"

static const struct command *const commands[] = {
    &command_diagnose,
    &command_list,
    &command_count,
    &command_check,
    &command_metrics,
    &command_capture,
    &command_diff,
    &command_config,
    &command_explain,
    &command_drill,
    &command_help,
    &command_version,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

/* Words that other tools use for what tcpwhy does under another name. */
static const char *answer_to(const char *name)
{
    static const struct {
        const char *names, *answer;
    } words[] = {
        { " kill close reset drop abort fix ",
            "tcpwhy ends nothing itself; 'tcpwhy' says for each finding what will end it, with the command" },
        { " watch top monitor live tail follow ", "'tcpwhy --watch 5' repeats the report" },
        { " show ls ps ss netstat lsof connections sockets ", "'tcpwhy list' shows connections" },
        { " stat stats statistics summary rank group ", "'tcpwhy count' counts connections" },
        { " save dump snapshot record ", "'tcpwhy capture' saves a snapshot" },
        { " compare ", "'tcpwhy diff' compares captures" },
        { " why man doc docs states ", "'tcpwhy explain' explains" },
        { " simulate test demo ", "'tcpwhy drill' makes a fault happen" },
        { " run report status ", "'tcpwhy' alone reports" },
    };
    char wanted[32];
    if (strchr(name, ' ') != NULL || (size_t)snprintf(wanted, sizeof wanted, " %s ", name) >= sizeof wanted)
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(words[i].names, wanted) != NULL)
            return words[i].answer;
    }
    return NULL;
}

int command_unknown(const char *name)
{
    struct suggestion suggestion = { .wanted = name };
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        suggest(&suggestion, commands[i]->name);
    struct error err;
    const char *answer = answer_to(name);
    char hint[SS_HINT_MAX];
    if (answer != NULL)
        error_set(&err, 0, name, "no such command; %s", answer);
    else if (suggestion.nearest != NULL)
        error_set(&err, 0, name, "no such command; did you mean '%s'?", suggestion.nearest);
    else
        error_set(&err, 0, name, "no such command or file; %s",
            ss_filter_hint(name, "'tcpwhy help' lists the commands", hint));
    return cmd_fail(NULL, &err);
}

static int run_help(const struct command *self, int argc, char **argv)
{
    static const struct option_group none[] = { { 0 } };
    struct error err;
    int operands = 0;
    int result = options_parse(self, none, argc, argv, &operands, &err);
    if (result < 0)
        return cmd_fail(self, &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (operands > 0 && strcmp(argv[1], self->name) != 0) { /* tcpwhy help COMMAND */
        const struct command *command = command_find(argv[1]);
        if (command == NULL)
            return command_unknown(argv[1]);
        char flag[] = "--help";
        char *help_argv[] = { argv[1], flag, NULL };
        (void)command->run(command, 2, help_argv); /* the result is ignored: check --help exits with 3 */
        return STATUS_HEALTHY;
    }
    output_page();
    printf("usage: tcpwhy [COMMAND] [OPTIONS]\n\n"
           "Why are these TCP connections stuck, who must act, and what will fix it?\n\n"
           "Commands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n'tcpwhy' alone is 'tcpwhy diagnose'. 'tcpwhy COMMAND --help' describes a command.\n\n"
           "Examples:\n"
           "  tcpwhy                              diagnose this host\n"
           "  tcpwhy --state close-wait,last-ack  only these states\n"
           "  tcpwhy list --process java          one row per connection of java\n"
           "  tcpwhy count --by state,process     rank\n"
           "  tcpwhy explain LAST_ACK             what it means, and what is wrongly said of it\n"
           "  tcpwhy --from netstat.txt           answer from what somebody sent\n"
           "  tcpwhy check --state LAST_ACK -w 100 -c 500\n"
           "                                      a threshold for the monitoring, with the reason\n\n"
           "Exit status: 0 healthy or done, 1 warning, 2 critical, 3 tcpwhy could not do what was asked.\n");
    return STATUS_HEALTHY;
}

static int run_version(const struct command *self, int argc, char **argv)
{
    (void)self, (void)argc, (void)argv;
    printf("tcpwhy %s\n", TCPWHY_VERSION);
    return STATUS_HEALTHY;
}

const struct command command_help = {
    .name = "help",
    .summary = "describe tcpwhy or one of its commands",
    .synopsis = "tcpwhy help [COMMAND]",
    .run = run_help,
};

const struct command command_version = {
    .name = "version",
    .summary = "print the version",
    .synopsis = "tcpwhy version",
    .run = run_version,
};
