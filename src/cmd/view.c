#include "cmd/view.h"

#include <errno.h>

#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/patience.h"

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

static int print(const struct command *self, const struct view *view, const struct inspect_options *options,
    struct inspection *seen, struct error *err)
{
    cmd_note_unread_input(self, options);
    int result = view->print(view->arguments, options, seen, err);
    if (view->csv != NULL && !options->json)
        cmd_note_gaps(self, &seen->snapshot);
    inspection_deinit(seen);
    return result;
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
    struct deadline deadline;
    struct buf output = { 0 };
    bool writes_file = view->file != NULL && *view->file != NULL;
    if (writes_file) {
        buf_printf(&output, "%s%s", *view->file, view->file_is_folder ? "/." : "");
        options->output = buf_text(&output);
        options->output_link = view->link;
    }
    result = cmd_begin_deadline(self, options, &deadline, &err);
    if (result == 0)
        result = cmd_try_inspect(options, NULL, &seen, &err);
    if (!writes_file || result < 0)
        deadline_answer(&deadline);
    if (result == 0)
        result = print(self, view, options, &seen, &err);
    deadline_answer(&deadline);
    buf_deinit(&output);
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
