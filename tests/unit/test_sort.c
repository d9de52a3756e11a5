#include "base/sort.h"

#include <stdlib.h>

#include "unit.h"

static int by_tens(const void *context, uint32_t a, uint32_t b)
{
    const uint32_t *values = context;
    return (int)(values[a] / 10) - (int)(values[b] / 10);
}

/* Every length up to several runs; equal elements keep their order. */
static void sorting_is_stable_at_every_length(void **state)
{
    (void)state;
    enum { MOST = 70 };
    uint32_t values[MOST], indexes[MOST];
    srandom(1);
    for (size_t count = 0; count <= MOST; count++) {
        for (uint32_t i = 0; i < count; i++) {
            values[i] = (uint32_t)random() % 100;
            indexes[i] = i;
        }
        sort_indexes(indexes, count, by_tens, values);
        for (size_t i = 1; i < count; i++) {
            int order = by_tens(values, indexes[i - 1], indexes[i]);
            assert_true(order < 0 || (order == 0 && indexes[i - 1] < indexes[i]));
        }
    }
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void selecting_agrees_with_sorting(void **state)
{
    (void)state;
    enum { MOST = 60 };
    srandom(2);
    for (size_t count = 1; count <= MOST; count++) {
        uint64_t original[MOST], sorted[MOST], numbers[MOST];
        for (size_t i = 0; i < count; i++)
            original[i] = sorted[i] = (uint64_t)random() % (count % 3 == 0 ? 4 : 1000);
        qsort(sorted, count, sizeof *sorted, by_value);
        for (size_t rank = 0; rank < count; rank++) {
            for (size_t i = 0; i < count; i++)
                numbers[i] = original[i];
            assert_int_equal(sort_select(numbers, count, rank), sorted[rank]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_is_stable_at_every_length),
        cmocka_unit_test(selecting_agrees_with_sorting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
