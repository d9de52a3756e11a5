#pragma once
/*
 * "Did you mean": finds the known name that is most similar to a misspelt one.
 *
 *   struct suggestion suggestion = { .wanted = word, .within = 3 };
 *   for each known name: suggest(&suggestion, name);
 *   suggestion.nearest: the most similar name, the first of several equals; NULL if none is similar enough.
 */
struct suggestion {
    const char *wanted;
    unsigned within; /* text_distance() must be less than this; 0: no limit */
    const char *nearest;
    unsigned distance; /* of the nearest: text_distance() */
};

void suggest(struct suggestion *suggestion, const char *name);
