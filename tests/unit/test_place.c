/* Places of files in folders that other users may write to. Tests that need two users are skipped without root. */
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open_checked.h"
#include "unit.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/tcpwhy-place-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails where a test has left something */
}

static char *path_of(const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* `path` resolves to `name` in the folder whose path is `in`. */
static void expect_place(const char *path, enum place_link link, const char *in, const char *name)
{
    struct place place;
    bool foreign;
    assert_int_equal(place_find(&place, path, link, &foreign), 0);
    assert_string_equal(place.name, name);
    struct stat held, named;
    assert_int_equal(fstat(place.folder, &held), 0);
    assert_int_equal(stat(in, &named), 0);
    assert_true(held.st_dev == named.st_dev && held.st_ino == named.st_ino);
    place_deinit(&place);
}

static void expect_error(const char *path, int error, bool is_foreign)
{
    struct place place;
    bool foreign;
    assert_int_equal(place_find(&place, path, PLACE_FOLLOW, &foreign), error);
    assert_int_equal(foreign, is_foreign);
    place_deinit(&place);
}

static void folder_and_name_are_told_apart(void **state)
{
    (void)state;
    expect_place(path_of("a"), PLACE_FOLLOW, folder, "a");
    expect_place(path_of("././/a"), PLACE_FOLLOW, folder, "a");
    expect_place("a", PLACE_FOLLOW, ".", "a");
    expect_place("../a", PLACE_FOLLOW, "..", "a");
    expect_place("/a", PLACE_FOLLOW, "/", "a");
    expect_error("", -ENOENT, false);
    expect_error("/", -EISDIR, false);
    expect_error("/tmp/", -EISDIR, false);
    expect_error("/tmp/..", -EISDIR, false);
    expect_error(path_of("none/a"), -ENOENT, false);
    expect_error("/dev/null/a", -ENOTDIR, false);
}

static void a_name_has_a_longest(void **state)
{
    (void)state;
    char name[258];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    expect_place(path_of(name), PLACE_FOLLOW, folder, name);
    name[255] = 'n';
    name[256] = '\0';
    expect_error(path_of(name), -ENAMETOOLONG, false);
}

static void links_are_followed_or_stay(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("real"), 0700), 0);
    assert_int_equal(symlink("real", path_of("link")), 0);
    assert_int_equal(symlink("link/../link/file", path_of("to-file")), 0);
    assert_int_equal(symlink("/", path_of("to-root")), 0);
    expect_place(path_of("link/x"), PLACE_STAY, path_of("real"), "x");
    expect_place(path_of("to-file"), PLACE_FOLLOW, path_of("real"), "file");
    expect_place(path_of("to-file"), PLACE_STAY, folder, "to-file");
    expect_place(path_of("to-root/x"), PLACE_FOLLOW, "/", "x");
    expect_error(path_of("to-root"), -EISDIR, false);
    unlink(path_of("to-root"));
    unlink(path_of("to-file"));
    unlink(path_of("link"));
    rmdir(path_of("real"));
}

static void a_ring_of_links_ends(void **state)
{
    (void)state;
    assert_int_equal(symlink("b", path_of("a")), 0);
    assert_int_equal(symlink("a", path_of("b")), 0);
    expect_error(path_of("a"), -ELOOP, false);
    unlink(path_of("a"));
    unlink(path_of("b"));
}

static void a_link_of_another_user_is_not_followed(void **state)
{
    (void)state;
    enum { SOMEBODY = 65534 };
    if (geteuid() != 0)
        skip();
    assert_int_equal(symlink("/etc", path_of("link")), 0);
    assert_int_equal(lchown(path_of("link"), SOMEBODY, SOMEBODY), 0);
    expect_error(path_of("link/passwd"), -ELOOP, true);
    expect_error(path_of("link"), -ELOOP, true);
    expect_place(path_of("link"), PLACE_STAY, folder, "link");
    unlink(path_of("link"));
}

static void what_leads_out_of_proc_is_a_place(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    struct place place;
    bool foreign;
    assert_int_equal(place_find(&place, path, PLACE_FOLLOW, &foreign), 0);
    int fd = place_open(&place);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    char byte = 0;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(fd);
    close(ends[0]);
    close(ends[1]);
    place_deinit(&place);
}

static void a_pipe_of_another_user_is_not_opened(void **state)
{
    (void)state;
    enum { SOMEBODY = 65534 };
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkfifo(path_of("fifo"), 0666), 0);
    assert_int_equal(chown(path_of("fifo"), SOMEBODY, SOMEBODY), 0);
    struct place place;
    bool foreign;
    assert_int_equal(place_find(&place, path_of("fifo"), PLACE_FOLLOW, &foreign), 0);
    assert_int_equal(place_open(&place), -EPERM);
    place_deinit(&place);
    unlink(path_of("fifo"));
}

/* A FIFO is not even opened where a file is wanted: that would wait for a writer. */
static void only_the_kind_that_is_wanted_is_opened(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(open_checked(path_of("fifo"), OPEN_FILE | OPEN_TERMINAL), -ENODEV);
    assert_int_equal(open_checked("/dev/zero", OPEN_FILE | OPEN_PIPE | OPEN_TERMINAL), -ENODEV);
    assert_int_equal(open_checked(folder, OPEN_FILE | OPEN_PIPE), -EISDIR);
    assert_int_equal(open_checked(path_of("none"), OPEN_FILE), -ENOENT);
    int fd = open_checked("/dev/null", OPEN_FILE);
    assert_true(fd >= 0);
    close(fd);
    unlink(path_of("fifo"));
}

static void a_link_is_followed_by_its_path_only(void **state)
{
    (void)state;
    int file = open(path_of("file"), O_WRONLY | O_CREAT, 0600), at = open(folder, O_PATH | O_DIRECTORY);
    assert_true(file >= 0 && at >= 0);
    assert_int_equal(symlink("file", path_of("link")), 0);
    assert_int_equal(open_checked_at(at, "link", OPEN_FILE), -ELOOP);
    int named = open_checked(path_of("link"), OPEN_FILE), held = open_checked_at(at, "file", OPEN_FILE);
    assert_true(named >= 0 && held >= 0);
    close(named);
    close(held);
    close(file);
    close(at);
    unlink(path_of("link"));
    unlink(path_of("file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folder_and_name_are_told_apart, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_name_has_a_longest, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(links_are_followed_or_stay, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_ring_of_links_ends, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_link_of_another_user_is_not_followed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_leads_out_of_proc_is_a_place, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_pipe_of_another_user_is_not_opened, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(only_the_kind_that_is_wanted_is_opened, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_link_is_followed_by_its_path_only, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
