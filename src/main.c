/* Arguments -> command table -> exit status. */
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"

/*
 * The reader of our output may close the pipe early (`tcpwhy list | head -1`). That is no error, so SIGPIPE ends the
 * program silently. Some parents (Python, Go, containers) start their children with that signal ignored.
 */
static void end_with_the_reader(void)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &pipe, NULL);
}

/* Monitoring systems know a plugin by its own name. */
static bool is_called(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

int main(int argc, char **argv)
{
    /* The character set only: numbers and messages do not change with the locale. */
    setlocale(LC_CTYPE, "");
    end_with_the_reader();

    const struct command *command = &command_diagnose;
    if (argc > 0 && is_called(argv[0], "check_tcpwhy")) {
        command = &command_check;
    } else if (argc > 1 && argv[1][0] != '-') {
        const struct command *named = command_find(argv[1]);
        if (named == NULL && !command_diagnose_takes(argv[1]))
            return command_unknown(argv[1]);
        if (named != NULL) {
            command = named;
            argc--;
            argv++;
        }
    } else if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        command = &command_help;
        argc = 1;
    } else if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        command = &command_version;
    }
    int status = command->run(command, argc, argv);
    output_end();
    if (status == STATUS_FAILED) /* has said why, which may be the same */
        return status;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("tcpwhy: standard output");
        return STATUS_FAILED;
    }
    return status;
}
