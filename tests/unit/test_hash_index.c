/* Numbers found by a hash: all are found if hashes are random, and searches stay short if somebody makes them equal. */
#include "base/hash_index.h"

#include <stdbool.h>
#include <string.h>

#include "unit.h"

#include "base/hash.h"

static bool finds(const struct hash_index *table, uint64_t hash, uint32_t number)
{
    struct hash_walk walk = hash_index_walk(table, hash);
    uint32_t found;
    do
        found = hash_walk_next(table, &walk);
    while (found != HASH_NONE && found != number);
    return found == number;
}

static void all_are_found_again(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct hash_index table;
    hash_index_init(&table, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        hash_index_add(&table, hash_number(i), i);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(finds(&table, hash_number(i), i));
    assert_false(finds(&table, hash_number(COUNT), COUNT));
    hash_index_deinit(&table);
}

static void equals_come_one_after_the_other(void **state)
{
    (void)state;
    struct hash_index table;
    hash_index_init(&table, 3);
    hash_index_add(&table, 15, 7); /* the last slot; the next one is the first */
    hash_index_add(&table, 15, 8);
    struct hash_walk walk = hash_index_walk(&table, 15);
    assert_int_equal(hash_walk_next(&table, &walk), 7);
    assert_int_equal(hash_walk_next(&table, &walk), 8);
    assert_int_equal(hash_walk_next(&table, &walk), HASH_NONE);
    hash_index_deinit(&table);
}

static void a_crowd_of_equals_makes_no_long_walk(void **state)
{
    (void)state;
    enum { COUNT = 100000, STEPS_MAX = 1000 };
    struct hash_index table;
    hash_index_init(&table, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        hash_index_add(&table, 42, i);
    struct hash_walk walk = hash_index_walk(&table, 42);
    unsigned steps = 0;
    while (hash_walk_next(&table, &walk) != HASH_NONE)
        steps++;
    assert_in_range(steps, 1, STEPS_MAX);
    assert_true(finds(&table, 42, 0));
    hash_index_deinit(&table);
}

/* A zeroed table is empty and grows. All numbers are found again. */
static void one_that_grows_keeps_all(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct hash_index table = { 0 };
    assert_false(finds(&table, 1, 0));
    for (uint32_t i = 0; i < COUNT; i++)
        hash_index_add(&table, hash_number(i), i);
    assert_int_equal(table.count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(finds(&table, hash_number(i), i));
    assert_false(finds(&table, hash_number(COUNT), COUNT));
    hash_index_deinit(&table);
}

/*
 * "Aa" and "BB" have the same hash if letters are added times 31. Who knows the hash function can fill one slot with
 * names.
 */
static void names_cannot_be_made_to_collide(void **state)
{
    (void)state;
    enum { BITS = 12, NAMES = 1 << BITS, BUCKETS = 1 << BITS };
    static unsigned in_bucket[BUCKETS];
    unsigned longest = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        char name[2 * BITS];
        for (unsigned bit = 0; bit < BITS; bit++) {
            name[2 * bit] = i >> bit & 1 ? 'A' : 'B';
            name[2 * bit + 1] = i >> bit & 1 ? 'a' : 'B';
        }
        unsigned *count = &in_bucket[hash_bytes(0, name, sizeof name) % BUCKETS];
        longest = ++*count > longest ? *count : longest;
    }
    assert_in_range(longest, 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_found_again),
        cmocka_unit_test(equals_come_one_after_the_other),
        cmocka_unit_test(a_crowd_of_equals_makes_no_long_walk),
        cmocka_unit_test(one_that_grows_keeps_all),
        cmocka_unit_test(names_cannot_be_made_to_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
