#include "cmd/ss_letters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/option_table.h"
#include "cmd/ss_filter.h"

static const struct {
    char letter;
    const char *name;
    const char *state;  /* the states that it selects, or NULL */
    const char *answer; /* why it cannot be done, and what can; or NULL: it is always so */
} known[] = {
    { 't', "tcp", NULL, NULL },
    { 'n', "numeric", NULL, NULL },
    { 'a', "all", NULL, NULL },
    { 'p', "processes", NULL, NULL },
    { 0, "programs", NULL, NULL },
    { 'o', "options", NULL, NULL },
    { 0, "timers", NULL, NULL },
    { 'e', "extended", NULL, NULL },
    { 'i', "info", NULL, NULL },
    { 'm', "memory", NULL, NULL },
    { 'W', "wide", NULL, NULL },
    { 'l', "listening", "LISTEN", NULL },
    { 'u', "udp", NULL, "UDP has no connections: tcpwhy shows TCP only" },
    { 'x', "unix", NULL, "tcpwhy shows TCP only" },
    { 'w', "raw", NULL, "tcpwhy shows TCP only" },
    { 0, "sport", NULL, "--local :PORT selects that" },
    { 0, "dport", NULL, "--peer :PORT selects that" },
    { 0, "src", NULL, "--local ADDRESS selects that" },
    { 0, "dst", NULL, "--peer ADDRESS selects that" },
};
enum { KNOWN_COUNT = sizeof known / sizeof *known };
static const char families[] = "46";

static bool is_known(char letter)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (known[i].letter == letter)
            return true;
    }
    return strchr(families, letter) != NULL;
}

/* True if the argument can be the value of an option: not an option, not a filter, not the end. */
static bool is_value(const char *argument)
{
    return argument != NULL && argument[0] != '-' && !ss_filter_begins(argument);
}

bool ss_letters_meant(const struct option_group *groups, const char *letters, const char *next)
{
    if (!options_select_connections(groups))
        return false;
    for (const char *letter = letters; *letter != '\0'; letter++) {
        if (!is_known(*letter))
            return false;
    }
    for (; *letters != '\0'; letters++) {
        const struct option_row *row = option_find(groups, *letters, NULL, NULL);
        if (row == NULL)
            return true;
        if (row->value == NULL)
            continue;
        bool is_number = letters[1] != '\0' && letters[1 + strspn(letters + 1, "0123456789")] == '\0';
        return letters[1] != '\0' ? !is_number : !is_value(next);
    }
    return false;
}

static int apply_one(const struct option_group *groups, const char *shown, size_t index, struct error *err)
{
    if (known[index].answer != NULL)
        return error_set(err, -EINVAL, shown, "%s", known[index].answer);
    return known[index].state != NULL ? option_set(groups, "state", known[index].state, err) : 0;
}

int ss_letters_apply(const struct option_group *groups, const char *letters, struct error *err)
{
    int result = 0;
    for (; *letters != '\0' && result == 0; letters++) {
        const char shown[3] = { '-', *letters };
        if (strchr(families, *letters) != NULL)
            result = option_set(groups, *letters == '4' ? "ipv4" : "ipv6", NULL, err);
        for (size_t i = 0; i < KNOWN_COUNT && result == 0; i++) {
            if (known[i].letter == *letters)
                result = apply_one(groups, shown, i, err);
        }
    }
    return result;
}

int ss_long_apply(const struct option_group *groups, const char *name, struct error *err)
{
    for (size_t i = 0; options_select_connections(groups) && i < KNOWN_COUNT; i++) {
        char shown[24];
        snprintf(shown, sizeof shown, "--%s", known[i].name);
        if (strcmp(known[i].name, name) == 0)
            return apply_one(groups, shown, i, err);
    }
    return 1;
}
