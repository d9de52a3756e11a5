/* tcpwhy capture: saves a snapshot to a file, which can be diagnosed elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/codec.h"
#include "base/atomic_file.h"
#include "cmd/commands.h"
#include "cmd/view.h"
#include "source/capture/saved/redact.h"
#include "source/capture/saved/saved.h"

struct capture_arguments {
    const char *path; /* NULL or "-": standard output */
    bool redact;
};

/*
 * Standard output by one of its names. It must not be replaced by a new file: with >> other programs may write to it
 * too.
 */
static bool is_standard_output(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/fd/1") == 0 ||
        strcmp(path, "/proc/self/fd/1") == 0;
}

static int set_output(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants a file's name, or - for standard output");
    ((struct capture_arguments *)target)->path = is_standard_output(value) ? NULL : value;
    return 0;
}

static const struct option_row capture_rows[] = {
    { 'o', "output", "FILE", "write to FILE, compressed where its name ends in .gz or .zst", set_output },
    { 0, "redact", NULL, "replace addresses and names by made-up ones, always the same for the same",
        .flag = offsetof(struct capture_arguments, redact) },
    { 0 },
};

/* The key is random. So nobody can find an address by redacting all addresses and comparing. */
static int redact(struct inspection *inspection, struct error *err)
{
    struct redact_key key;
    if (getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key)
        return error_set(err, -errno, "--redact", "there are no random numbers: %s", strerror(errno));
    snapshot_redact(&inspection->snapshot, &key);
    snapshot_redact(&inspection->previous, &key);
    return 0;
}

static int write_compressed(const struct codec *codec, const struct snapshot *snapshot, FILE *out)
{
    if (codec == NULL)
        return saved_write(snapshot, TCPWHY_VERSION, out);
    FILE *stream = codec_open_writer(codec, out);
    int result = saved_write(snapshot, TCPWHY_VERSION, stream);
    if (fclose(stream) != 0 && result == 0)
        result = errno != 0 ? -errno : -EIO;
    return result;
}

static int write_file(const char *path, const struct snapshot *snapshot, struct error *err)
{
    enum { FOR_ITS_OWNER = 0600 };
    struct whole_file file;
    int result = whole_file_open(&file, path, FOR_ITS_OWNER, PLACE_FOLLOW, err);
    if (result < 0)
        return result;
    result = whole_file_close(&file, write_compressed(codec_by_name(path), snapshot, file.out), err);
    if (result < 0 && err->subject[0] == '\0')
        snprintf(err->subject, sizeof err->subject, "%s", path);
    return result;
}

static int print_capture(
    void *target, const struct inspect_options *options, struct inspection *inspection, struct error *err)
{
    (void)options;
    const struct capture_arguments *arguments = target;
    int result = arguments->redact ? redact(inspection, err) : 0;
    if (result < 0)
        return result;
    if (arguments->path == NULL)
        return saved_write(&inspection->snapshot, TCPWHY_VERSION, stdout);
    return write_file(arguments->path, &inspection->snapshot, err);
}

static int run_capture(const struct command *self, int argc, char **argv)
{
    static const char *const names[] = { "from", "tasks", "source", "confirm", "timeout",
        NULL }; /* a capture is always of all connections */
    struct inspect_options inspection = { 0 };
    struct capture_arguments arguments = { 0 };
    struct option_row rows[8];
    options_pick(inspect_option_rows, names, rows, sizeof rows / sizeof *rows);
    const struct option_group groups[] = {
        { "Capture", capture_rows, &arguments },
        { "Of what", rows, &inspection },
        { 0 },
    };
    const struct view view = {
        .groups = groups,
        .hint = "the file's name goes after -o",
        .print = print_capture,
        .arguments = &arguments,
        .file = &arguments.path,
    };
    return cmd_view(self, &view, &inspection, argc, argv);
}

const struct command command_capture = {
    .name = "capture",
    .summary = "save a snapshot to a file, to look at it elsewhere",
    .synopsis = "tcpwhy capture [OPTIONS]",
    .details =
        "Saves all that tcpwhy sees of this host as JSON lines; 'tcpwhy --from FILE' reads them, and its diagnosis\n"
        "is the same as here. Without -o they go to standard output. A file appears complete or not at all, and only\n"
        "its owner may read it, because it holds the addresses, users and command lines of this host. --redact\n"
        "replaces these, and the names of the host, units and containers, by made-up ones. Ports, states, times and\n"
        "counters stay, and so do the findings.\n",
    .examples = "  tcpwhy capture -o web-3.zst            save it, compressed\n"
                "  tcpwhy capture --redact -o ticket.gz   to give it away\n"
                "  tcpwhy --from web-3.zst                diagnose what was saved\n"
                "  ssh web-3 sudo tcpwhy capture | tcpwhy --from -\n"
                "  tcpwhy capture --from old.zst --redact -o ticket.gz\n"
                "  tcpwhy capture --from web.zst --from db.zst --redact -o both.gz\n",
    .run = run_capture,
};
