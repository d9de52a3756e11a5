/*
 * Command lines of the commands that look at connections: words between NUL bytes. Whatever they are, they are
 * understood or refused with words, and a selection that was understood can be asked about any connection.
 */
#include "fuzz.h"

#include "cmd/options.h"

enum { WORDS_MAX = 40 };

static const struct command nothing = { .name = "diagnose", .summary = "", .synopsis = "" };

static void ask(const struct selection *selection)
{
    struct snapshot snapshot;
    snapshot_init(&snapshot);
    struct netns *netns = snapshot_add_netns(&snapshot);
    FUZZ_EXPECT(netns != NULL);
    netns->name = "host";
    netns->is_own = true;
    struct process *process = snapshot_add_process(&snapshot);
    FUZZ_EXPECT(process != NULL);
    process->pid = 1;
    process->name = "init";
    process->netns = 0;
    struct conn *conn = snapshot_add_conn(&snapshot);
    FUZZ_EXPECT(conn != NULL);
    conn->state = STATE_CLOSE_WAIT;
    conn->local_port = 80;
    conn->remote_port = 50000;

    bool matches = selection_matches(selection, &snapshot, conn);
    FUZZ_EXPECT(matches || !selection_is_empty(selection));
    selection_matches_cause(selection, "close-wait-leak");
    snapshot_deinit(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char name[] = "diagnose";
    char *argv[WORDS_MAX + 2] = { name };
    int argc = 1;
    for (size_t at = 0; at < size && argc <= WORDS_MAX; at += strlen(text + at) + 1) {
        /* --help would print, and changes nothing else. */
        if (strcmp(text + at, "--help") != 0 && strcmp(text + at, "-h") != 0)
            argv[argc++] = text + at;
    }

    struct inspect_options look = { 0 };
    const struct option_group groups[] = { { "", inspect_option_rows, &look }, { 0 } };
    int operands = 0;
    struct error err = { 0 };
    int result = options_parse(&nothing, groups, argc, argv, &operands, &err);
    if (result == PARSE_OK) {
        FUZZ_EXPECT(operands >= 0 && operands < argc);
        ask(&look.selection);
    } else {
        FUZZ_EXPECT(result < 0);
        FUZZ_EXPECT(err.code == result && err.message[0] != '\0');
        FUZZ_EXPECT(memchr(err.message, '\0', sizeof err.message) != NULL);
        FUZZ_EXPECT(memchr(err.subject, '\0', sizeof err.subject) != NULL);
    }
    free(text);
    return 0;
}
