/* Reads and writes all bytes of a descriptor, with pipes that hold less. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd_io.h"

enum { LENGTH = 300 * 1000 }; /* more than a pipe holds */

struct writer {
    int fd, result;
    char *bytes;
};

static void *write_and_close(void *argument)
{
    struct writer *writer = argument;
    writer->result = fd_write_all(writer->fd, writer->bytes, LENGTH);
    close(writer->fd);
    return NULL;
}

static void all_that_is_written_is_read(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct writer writer = { .fd = ends[1], .bytes = malloc(LENGTH) };
    assert_non_null(writer.bytes);
    for (size_t i = 0; i < LENGTH; i++)
        writer.bytes[i] = (char)(i * 31 >> 3);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_and_close, &writer), 0);
    struct buf out = { 0 };
    assert_int_equal(fd_read_all(ends[0], LENGTH, &out), 0);
    pthread_join(thread, NULL);
    assert_int_equal(writer.result, 0);
    assert_int_equal(out.length, LENGTH);
    assert_memory_equal(out.data, writer.bytes, LENGTH);
    buf_deinit(&out);
    free(writer.bytes);
    close(ends[0]);
}

static int read_of_six(size_t most)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fd_write_all(ends[1], "tcpwhy", 6), 0);
    close(ends[1]);
    struct buf out = { 0 };
    int result = fd_read_all(ends[0], most, &out);
    buf_deinit(&out);
    close(ends[0]);
    return result;
}

static void more_than_the_limit_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_of_six(6), 0);
    assert_int_equal(read_of_six(5), -EFBIG);
    assert_int_equal(read_of_six(0), -EFBIG);
}

static void errors_are_negative(void **state)
{
    (void)state;
    struct buf out = { 0 };
    char byte;
    assert_int_equal(fd_read(-1, &byte, 1), -EBADF);
    assert_int_equal(fd_read_all(-1, 10, &out), -EBADF);
    assert_int_equal(fd_write_all(-1, "a", 1), -EBADF);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_written_is_read),
        cmocka_unit_test(more_than_the_limit_is_refused),
        cmocka_unit_test(errors_are_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
