/* Numbers found by a hash: all of them where chance spreads them, and no long search where somebody does not. */
#include "base/hash_index.h"

#include <stdbool.h>

#include "unit.h"

#include "base/hash.h"

static bool finds(const struct index_table *table, uint64_t hash, uint32_t number)
{
    struct index_walk walk = index_table_walk(table, hash);
    uint32_t found;
    do
        found = index_walk_next(table, &walk);
    while (found != INDEX_NONE && found != number);
    return found == number;
}

static void all_are_found_again(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct index_table table;
    assert_int_equal(index_table_init(&table, COUNT), 0);
    for (uint32_t i = 0; i < COUNT; i++)
        index_table_add(&table, hash_mix(i), i);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(finds(&table, hash_mix(i), i));
    assert_false(finds(&table, hash_mix(COUNT), COUNT));
    index_table_deinit(&table);
}

static void equals_come_one_after_the_other(void **state)
{
    (void)state;
    struct index_table table;
    assert_int_equal(index_table_init(&table, 3), 0);
    index_table_add(&table, 15, 7); /* the last slot: it goes on at the first */
    index_table_add(&table, 15, 8);
    struct index_walk walk = index_table_walk(&table, 15);
    assert_int_equal(index_walk_next(&table, &walk), 7);
    assert_int_equal(index_walk_next(&table, &walk), 8);
    assert_int_equal(index_walk_next(&table, &walk), INDEX_NONE);
    index_table_deinit(&table);
}

static void a_crowd_of_equals_makes_no_long_walk(void **state)
{
    (void)state;
    enum { COUNT = 100000, STEPS_MAX = 1000 };
    struct index_table table;
    assert_int_equal(index_table_init(&table, COUNT), 0);
    for (uint32_t i = 0; i < COUNT; i++)
        index_table_add(&table, 42, i);
    struct index_walk walk = index_table_walk(&table, 42);
    unsigned steps = 0;
    while (index_walk_next(&table, &walk) != INDEX_NONE)
        steps++;
    assert_in_range(steps, 1, STEPS_MAX);
    assert_true(finds(&table, 42, 0));
    index_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_found_again),
        cmocka_unit_test(equals_come_one_after_the_other),
        cmocka_unit_test(a_crowd_of_equals_makes_no_long_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
