#pragma once
/*
 * "Did you mean": finds the known name that is most similar to a misspelt one.
 *
 *   struct suggestion suggestion = { .wanted = word };
 *   for each known name: suggest(&suggestion, name);
 *   suggestion.nearest: the most similar name, the first of several equals; NULL if none is similar enough.
 */
struct suggestion {
    const char *wanted;
    unsigned within; /* text_distance() must be less than this; 0: see suggest() */
    const char *nearest;
    unsigned distance; /* of the nearest: text_distance() */
};

/* Notes the name if it is nearer than the nearest so far. If half of the letters differ, it is another word. */
void suggest(struct suggestion *suggestion, const char *name);

enum { SUGGESTION_TEXT_MAX = 128 };
/* Writes "did you mean 'NAME'?" if a name is near, else `otherwise`. Returns ret_text. */
const char *suggestion_text(
    const struct suggestion *suggestion, const char *otherwise, char ret_text[SUGGESTION_TEXT_MAX]);
