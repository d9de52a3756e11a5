#include "cmd/view.h"

#include <errno.h>

#include "cmd/commands.h"
#include "cmd/output.h"

static int parse(const struct command *self, const struct view *view, const struct inspect_options *options, int argc,
    char **argv, struct error *err)
{
    struct command described = *self;
    struct buf details = { 0 };
    if (view->describe != NULL) {
        view->describe(&details);
        described.details = buf_text(&details);
    }
    int result = options_parse_only(&described, view->groups, argc, argv, view->hint, err);
    buf_deinit(&details);
    if (result != PARSE_OK)
        return result;
    if (view->csv != NULL && *view->csv && options->json)
        return error_set(err, -EINVAL, "--csv", "and --json exclude each other");
    return view->complete != NULL ? view->complete(view->arguments, err) : 0;
}

int cmd_view(
    const struct command *self, const struct view *view, struct inspect_options *options, int argc, char **argv)
{
    struct error err = { 0 };
    int result = parse(self, view, options, argc, argv, &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (result < 0)
        return cmd_fail(self, &err);

    struct inspection seen;
    int status = cmd_inspect(self, options, NULL, &seen);
    if (status != STATUS_HEALTHY)
        return status;
    cmd_note_unread_input(self, options);
    result = view->print(view->arguments, options, &seen, &err);
    if (view->csv != NULL && !options->json)
        cmd_note_gaps(self, &seen.snapshot);
    inspection_deinit(&seen);
    if (result < 0)
        return err.message[0] != '\0' ? cmd_fail(self, &err) : cmd_fail_to_write(self, result);
    return STATUS_HEALTHY;
}

struct report_style cmd_table_style(void)
{
    struct report_style style = output_style(stdout);
    if (!output_is_terminal())
        style.width = 0;
    return style;
}
