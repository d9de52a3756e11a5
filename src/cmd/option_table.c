#include "cmd/option_table.h"

#include <errno.h>
#include <string.h>

#include "cmd/inspect_options.h"
#include "cmd/output.h"

/* --- what every command understands --------------------------------------------------------------------------- */

static int set_colour(void *target, const char *value, struct error *err)
{
    return output_set_colour(target, value, err);
}

static const struct option_row output_rows[] = {
    { 0, "color", "WHEN", "colours: auto (default; on a terminal), always, never", set_colour },
    { 0, "no-pager", NULL, "print all at once, even if it does not fit on the terminal",
        .flag = offsetof(struct output_settings, is_unpaged) },
    { 0 },
};
static const struct option_group output_group = { "Output", output_rows, &output_settings };

const struct option_group *option_first_group(const struct option_group *groups)
{
    return groups->rows != NULL ? groups : &output_group;
}

const struct option_group *option_next_group(const struct option_group *group)
{
    if (group == &output_group)
        return NULL;
    return group[1].rows != NULL ? group + 1 : &output_group;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

const struct option_row *option_find(
    const struct option_group *groups, char letter, const char *name, const struct option_group **ret_group)
{
    size_t name_length = name != NULL ? strcspn(name, "=") : 0;
    for (const struct option_group *group = option_first_group(groups); group != NULL;
         group = option_next_group(group)) {
        for (const struct option_row *row = group->rows; row->name != NULL; row++) {
            bool same = name != NULL ? strlen(row->name) == name_length && memcmp(row->name, name, name_length) == 0
                                     : row->letter == letter;
            if (same) {
                if (ret_group != NULL)
                    *ret_group = group;
                return row;
            }
        }
    }
    return NULL;
}

int option_apply(const struct option_group *group, const struct option_row *row, const char *value, struct error *err)
{
    struct error inner = { 0 };
    void *target = group->choose != NULL ? group->choose(group->target, row, value, &inner) : group->target;
    int result = inner.code;
    if (target != NULL && row->set != NULL)
        result = row->set(target, value, &inner);
    else if (target != NULL)
        *(bool *)((char *)target + row->flag) = true;
    if (result > 0)
        return result;
    if (result < 0) {
        char subject[80];
        snprintf(subject, sizeof subject, "--%s", row->name);
        if (inner.subject[0] != '\0')
            return error_set(err, result, subject, "'%s' %s", inner.subject, inner.message);
        return error_set(err, result, subject, "%s", inner.message);
    }
    if (target != NULL && group->rows == inspect_option_rows && cmd_option_is_said_again(row))
        inspect_add_again(target, row->name, value);
    return 0;
}

int option_set(const struct option_group *groups, const char *name, const char *value, struct error *err)
{
    const struct option_group *group = NULL;
    const struct option_row *row = option_find(groups, 0, name, &group);
    return row != NULL ? option_apply(group, row, value, err)
                       : error_set(err, -EINVAL, name, "is no option of this command");
}

bool options_select_connections(const struct option_group *groups)
{
    for (; groups->rows != NULL; groups++) {
        if (groups->rows == inspect_option_rows)
            return true;
    }
    return false;
}
