/*
 * Some programs are started once for each job or session, for example by cron, CUPS, inetd or an FTP server. Each
 * process may then hold one stuck connection. These processes are not copies of one another as workers are (group.c):
 * each has its own shell or session as parent, and its job in the command line. As separate owners they would give
 * forty findings that are each too small to matter. So at least three of them become one owner ("kin") if they have in
 * common:
 *
 *   the program: its name, and for an interpreter the script;
 *   the place: the container, or the unit without its instance (ftp@3.service, session-12.scope);
 *   the cause, the namespace, the service of the policy, and the ignore.
 *
 * Two such processes may be two programs that happen to be alike. Ends are not compared here: keys with different peers
 * stay different until fold.c folds them.
 */
#include "diagnose/kin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/process.h"

enum { KIN_MIN = 3 };

/* --- program and place -------------------------------------------------------------------------------------------- */

/* A part of a string; it does not end with NUL. */
struct span {
    const char *start;
    size_t length;
};

static int compare_spans(struct span one, struct span other)
{
    size_t least = one.length < other.length ? one.length : other.length;
    int order = least > 0 ? memcmp(one.start, other.start, least) : 0;
    return order != 0 ? order : (one.length > other.length) - (one.length < other.length);
}

static struct span whole(const char *text)
{
    return (struct span){ text, strlen(text) };
}

/* The next argument of a command line; its length is 0 at the end. An argument with spaces counts as several. */
static struct span next_argument(const char **at)
{
    *at += strspn(*at, " ");
    struct span word = { *at, strcspn(*at, " ") };
    *at += word.length;
    return word;
}

static bool is_word(struct span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.start, word, span.length) == 0;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        /* "python3.11", "ruby2.7", "node" */
        if (strncmp(name, names[i], length) == 0 && name[length + strspn(name + length, "0123456789.")] == '\0')
            return true;
    }
    return false;
}

static bool is_shell(const char *name)
{
    static const char *const shells[] = { "sh", "bash", "dash", "ksh", "zsh", "busybox" };
    return is_among(name, shells, sizeof shells / sizeof *shells);
}

static bool is_interpreter(const char *name)
{
    static const char *const interpreters[] = { "python", "perl", "ruby", "node", "php", "java", "dotnet", "mono",
        "lua", "tclsh", "beam.smp" };
    return is_shell(name) || is_among(name, interpreters, sizeof interpreters / sizeof *interpreters);
}

/*
 * What an interpreter runs: the first argument that is not an option. After -c or -e it is all of the code; for a
 * shell, only the first word, which is the name of a command.
 */
static struct span script_of(const struct process *process)
{
    const char *at = process->command;
    next_argument(&at);
    for (struct span word = next_argument(&at); word.length > 0; word = next_argument(&at)) {
        if (is_word(word, "-c") || is_word(word, "-e"))
            return is_shell(process->name) ? next_argument(&at) : whole(at);
        if (is_word(word, "-cp") || is_word(word, "-classpath") || is_word(word, "-p") ||
            is_word(word, "--module-path"))
            next_argument(&at); /* options of Java whose value is the next argument */
        else if (*word.start != '-')
            return word;
    }
    return (struct span){ NULL, 0 };
}

static struct span program_of(const struct process *process)
{
    if (process->command == NULL || !is_interpreter(process->name))
        return (struct span){ NULL, 0 };
    return script_of(process);
}

/*
 * The container, or the unit without its instance: "ftp@" for ftp@3-10.0.0.5:21.service, "session-" for
 * session-12.scope, "run-" for a unit that systemd-run has started.
 */
static struct span place_of(const struct process *process)
{
    if (process->container != NULL)
        return whole(process->container);
    if (process->unit == NULL)
        return (struct span){ NULL, 0 };
    const char *instance = strchr(process->unit, '@');
    if (instance != NULL)
        return (struct span){ process->unit, (size_t)(instance - process->unit) + 1 };
    static const char *const passing[] = { "session-", "run-" };
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strncmp(process->unit, passing[i], strlen(passing[i])) == 0)
            return whole(passing[i]);
    }
    return whole(process->unit);
}

/* --- folding ------------------------------------------------------------------------------------------------------ */

/* The number of a key, and what decides whether two keys are kin. */
struct relative {
    uint32_t key;
    uint32_t owner;
    uint32_t netns;
    uint8_t rule, service, ignored;
    const struct process *process;
    struct span program, place;
};

static int compare_numbers(uint64_t one, uint64_t other)
{
    return (one > other) - (one < other);
}

static int compare_kin(const struct relative *one, const struct relative *other)
{
    const uint64_t numbers[][2] = {
        { one->rule, other->rule },
        { one->netns, other->netns },
        { one->service, other->service },
        { one->ignored, other->ignored },
        { (uintptr_t)one->process->host, (uintptr_t)other->process->host },
        { one->process->container != NULL, other->process->container != NULL },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int order = compare_numbers(numbers[i][0], numbers[i][1]);
        if (order != 0)
            return order;
    }
    int order = strcmp(one->process->name, other->process->name);
    if (order == 0)
        order = compare_spans(one->program, other->program);
    return order != 0 ? order : compare_spans(one->place, other->place);
}

static int compare_relatives(const void *a, const void *b)
{
    const struct relative *one = a, *other = b;
    int order = compare_kin(one, other);
    return order != 0 ? order : compare_numbers(one->owner, other->owner);
}

/* Gives all these keys the first one's owner, if they have at least KIN_MIN owners. */
static void join_owners(struct fold_key_table *keys, const struct relative *kin, size_t count)
{
    size_t owners = 1;
    for (size_t i = 1; i < count; i++)
        owners += kin[i].owner != kin[i - 1].owner;
    for (size_t i = 0; owners >= KIN_MIN && i < count; i++) {
        keys->keys[kin[i].key].owner = kin[0].owner;
        keys->keys[kin[i].key].kin = 1;
    }
}

/* Gives keys that have become equal one number. */
static void renumber_keys(struct stuck *stuck, size_t count, struct fold_key_table *keys)
{
    struct fold_key_table joined = { 0 };
    uint32_t *number = xcalloc(keys->count, sizeof *number);
    for (size_t i = 0; i < keys->count; i++)
        number[i] = fold_key_number(&joined, &keys->keys[i]);
    for (size_t i = 0; i < count; i++)
        stuck[i].group = number[stuck[i].group];
    free(number);
    fold_key_table_deinit(keys);
    *keys = joined;
}

void kin_join(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys)
{
    if (keys->count < KIN_MIN)
        return;
    struct relative *kin = xcalloc(keys->count, sizeof *kin);
    size_t known = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const struct fold_key *key = &keys->keys[i];
        const struct process *process = key->owner == NO_INDEX ? NULL : &snapshot->processes[key->owner];
        if (process == NULL || process->name == NULL)
            continue;
        kin[known++] = (struct relative){ (uint32_t)i, key->owner, key->netns, key->rule, key->service, key->ignored,
            process, program_of(process), place_of(process) };
    }
    qsort(kin, known, sizeof *kin, compare_relatives);
    for (size_t first = 0, end; first < known; first = end) {
        for (end = first + 1; end < known && compare_kin(&kin[first], &kin[end]) == 0; end++)
            ;
        join_owners(keys, kin + first, end - first);
    }
    free(kin);
    renumber_keys(stuck, count, keys);
}
