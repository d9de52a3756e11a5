/* Files that are written as a whole or not at all, and compression on the way. */
#include "base/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "base/codec.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tcpwhy-files-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails if a test has left a file */
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}

static void write_text(const char *path, const char *text, int result)
{
    struct whole_file file;
    struct error err;
    assert_int_equal(whole_file_open(&file, path, 0600, PLACE_FOLLOW, &err), 0);
    fputs(text, file.out);
    assert_int_equal(whole_file_close(&file, result, &err), result);
}

static void expect_text(const char *path, const char *text)
{
    char read_back[64] = "";
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t length = fread(read_back, 1, sizeof read_back - 1, in);
    fclose(in);
    assert_int_equal(length, strlen(text));
    assert_string_equal(read_back, text);
}

static void a_file_takes_its_place_when_it_is_whole(void **state)
{
    (void)state;
    const char *path = path_of("a");
    write_text(path, "one", 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    write_text(path, "two", 0);
    expect_text(path, "two");
    assert_int_equal(count_files(), 1);
    unlink(path);
}

static void what_failed_leaves_the_old_one(void **state)
{
    (void)state;
    const char *path = path_of("a");
    write_text(path, "old", 0);
    write_text(path, "new", -EIO);
    expect_text(path, "old");
    assert_int_equal(count_files(), 1);
    unlink(path);
}

static void a_symbolic_link_stays_one(void **state)
{
    (void)state;
    char link[128], target[128];
    snprintf(link, sizeof link, "%s", path_of("link"));
    snprintf(target, sizeof target, "%s", path_of("target"));
    write_text(target, "old", 0);
    assert_int_equal(symlink(target, link), 0);
    write_text(link, "new", 0);
    expect_text(target, "new");
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    unlink(link);
    unlink(target);
}

/* The link names a file that does not exist: that file is created. */
static void a_dangling_link_stays_one_too(void **state)
{
    (void)state;
    char link[128], other[128], target[128];
    snprintf(link, sizeof link, "%s", path_of("link"));
    snprintf(other, sizeof other, "%s", path_of("other"));
    snprintf(target, sizeof target, "%s", path_of("target"));
    assert_int_equal(symlink(other, link), 0);
    assert_int_equal(symlink("target", other), 0);
    write_text(link, "new", 0);
    expect_text(target, "new");
    struct stat status;
    assert_true(lstat(link, &status) == 0 && S_ISLNK(status.st_mode));
    assert_true(lstat(other, &status) == 0 && S_ISLNK(status.st_mode));
    assert_int_equal(count_files(), 3);
    unlink(target);
    unlink(other);
    assert_int_equal(symlink(link, other), 0); /* two links that point at each other */
    struct whole_file file;
    struct error err;
    assert_int_equal(whole_file_open(&file, link, 0600, PLACE_FOLLOW, &err), -ELOOP);
    unlink(link);
    unlink(other);
}

static void a_name_may_be_as_long_as_any(void **state)
{
    (void)state;
    char path[64 + 256];
    int start = snprintf(path, sizeof path, "%s/", folder);
    memset(path + start, 'n', 255);
    path[start + 255] = '\0';
    write_text(path, "one", 0);
    write_text(path, "two", 0);
    expect_text(path, "two");
    unlink(path);
}

static void a_device_is_written_to_as_it_is(void **state)
{
    (void)state;
    write_text("/dev/null", "anything", 0);
    struct stat status;
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void where_it_cannot_be_is_said(void **state)
{
    (void)state;
    struct whole_file file;
    struct error err;
    assert_int_equal(whole_file_open(&file, path_of("none/a"), 0600, PLACE_FOLLOW, &err), -ENOENT);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(whole_file_open(&file, folder, 0600, PLACE_FOLLOW, &err), -EISDIR);
}

/* In a child process: a signal arrives while the file is written. */
static int end_by(int signal, void (*disposition)(int), bool in_the_middle)
{
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = { .sa_handler = disposition };
        sigaction(signal, &action, NULL);
        struct whole_file file;
        struct error err;
        if (whole_file_open(&file, path_of("a"), 0600, PLACE_FOLLOW, &err) < 0)
            _exit(3);
        fputs("half", file.out);
        fflush(file.out);
        raise(signal);
        if (in_the_middle)
            fputs("other half", file.out);
        _exit(whole_file_close(&file, 0, &err) < 0 ? 4 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_signal_leaves_nothing_and_is_died_of(void **state)
{
    (void)state;
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXCPU };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        for (int middle = 0; middle < 2; middle++) {
            int status = end_by(signals[i], SIG_DFL, middle);
            assert_true(WIFSIGNALED(status));
            assert_int_equal(WTERMSIG(status), signals[i]);
            assert_int_equal(count_files(), 0);
        }
    }
}

/* SIGKILL cannot be blocked, but a file without a name leaves nothing behind. */
static void not_even_a_kill_leaves_anything(void **state)
{
    (void)state;
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        skip(); /* not on this file system */
    close(fd);
    int status = end_by(SIGKILL, SIG_DFL, true);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(count_files(), 0);
}

/* ulimit -f */
static void a_limit_is_an_error(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = { 2, 2 };
        setrlimit(RLIMIT_FSIZE, &limit);
        struct whole_file file;
        struct error err;
        if (whole_file_open(&file, path_of("a"), 0600, PLACE_FOLLOW, &err) < 0)
            _exit(3);
        fputs("more than that", file.out);
        _exit(whole_file_close(&file, 0, &err) == -EFBIG ? 4 : 5);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 4);
    assert_int_equal(count_files(), 0);
}

/* Without /proc a file without a name cannot get one. */
static void without_nameless_files_it_is_the_same(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", "/proc", "tmpfs", 0, NULL) < 0)
            _exit(77);
        struct whole_file file;
        struct error err;
        if (whole_file_open(&file, path_of("a"), 0600, PLACE_FOLLOW, &err) < 0)
            _exit(3);
        bool has_name = count_files() == 1;
        fputs("text", file.out);
        if (whole_file_close(&file, 0, &err) < 0 || !has_name)
            _exit(4);
        if (whole_file_open(&file, path_of("b"), 0600, PLACE_FOLLOW, &err) < 0)
            _exit(5);
        fputs("half", file.out);
        raise(SIGUSR1);
        whole_file_close(&file, 0, &err);
        _exit(6);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    expect_text(path_of("a"), "text");
    assert_int_equal(count_files(), 1);
    unlink(path_of("a"));
}

/* nohup */
static void a_signal_that_is_ignored_is_ignored(void **state)
{
    (void)state;
    int status = end_by(SIGHUP, SIG_IGN, true);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    expect_text(path_of("a"), "halfother half");
    unlink(path_of("a"));
}

/* --- codecs ----------------------------------------------------------------------------------------------------- */

static void compressed_data_comes_back(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const char *const names[] = { "x.gz", "x.zst" };
    for (size_t n = 0; n < 2; n++) {
        const struct codec *codec = codec_by_name(names[n]);
        assert_non_null(codec);
        char *packed = NULL;
        size_t packed_size = 0;
        FILE *below = open_memstream(&packed, &packed_size);
        FILE *stream = codec_open_writer(codec, below);
        for (int i = 0; i < COUNT; i++)
            fprintf(stream, "%d\n", i);
        assert_int_equal(fclose(stream), 0);
        fclose(below);
        assert_ptr_equal(codec_by_magic(packed, packed_size), codec);

        char *text = calloc(COUNT, 8);
        size_t taken = packed_size, put = (size_t)COUNT * 8;
        void *decoder = codec->decoder_new();
        assert_int_equal(codec->decode(decoder, packed, &taken, text, &put), CODEC_END);
        codec->decoder_free(decoder);
        assert_int_equal(taken, packed_size);
        assert_int_equal(put, 588890);
        assert_memory_equal(text, "0\n1\n2\n", 6);
        assert_memory_equal(text + put - 6, "99999\n", 6);
        free(text);
        free(packed);
    }
}

static void names_tell_the_codec(void **state)
{
    (void)state;
    assert_null(codec_by_name("a.txt"));
    assert_null(codec_by_name(".gz"));
    assert_null(codec_by_name("gz"));
    assert_null(codec_by_magic("\x1f", 1));
    assert_null(codec_by_magic("{\"type\"", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_takes_its_place_when_it_is_whole),
        cmocka_unit_test(what_failed_leaves_the_old_one),
        cmocka_unit_test(a_symbolic_link_stays_one),
        cmocka_unit_test(a_dangling_link_stays_one_too),
        cmocka_unit_test(a_name_may_be_as_long_as_any),
        cmocka_unit_test(a_device_is_written_to_as_it_is),
        cmocka_unit_test(where_it_cannot_be_is_said),
        cmocka_unit_test(a_signal_leaves_nothing_and_is_died_of),
        cmocka_unit_test(not_even_a_kill_leaves_anything),
        cmocka_unit_test(a_limit_is_an_error),
        cmocka_unit_test(without_nameless_files_it_is_the_same),
        cmocka_unit_test(a_signal_that_is_ignored_is_ignored),
        cmocka_unit_test(compressed_data_comes_back),
        cmocka_unit_test(names_tell_the_codec),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
