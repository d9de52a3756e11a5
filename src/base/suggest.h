#pragma once
/*
 * "Did you mean": the known name that comes nearest to a misspelt one.
 *
 *   struct suggestion suggestion = { .wanted = word, .within = 3 };
 *   for each known name: suggest(&suggestion, name);
 *   suggestion.nearest: the nearest, the first of equals; NULL where none is near enough.
 */
struct suggestion {
    const char *wanted;
    unsigned within; /* fewer letters than these may differ; 0: any number */
    const char *nearest;
    unsigned distance; /* of the nearest: text_distance() */
};

void suggest(struct suggestion *suggestion, const char *name);
