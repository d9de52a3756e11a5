#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Merges the sorted runs from[start…middle) and from[middle…end) into to[start…end). */
static void merge(const uint32_t *from, uint32_t *to, size_t start, size_t middle, size_t end, sort_compare compare,
    const void *context)
{
    size_t left = start, right = middle;
    /* Runs that are already in order need one comparison. The rows of a dump often are. */
    if (middle >= end || compare(context, from[middle - 1], from[middle]) <= 0) {
        memcpy(to + start, from + start, (end - start) * sizeof *to);
        return;
    }
    for (size_t at = start; at < end; at++) {
        if (left < middle && (right >= end || compare(context, from[left], from[right]) <= 0))
            to[at] = from[left++];
        else
            to[at] = from[right++];
    }
}

void sort_indexes(uint32_t *indexes, size_t count, sort_compare compare, const void *context)
{
    if (count < 2)
        return;
    uint32_t *spare = xcalloc(count, sizeof *spare);
    uint32_t *from = indexes, *to = spare;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            size_t middle = start + run < count ? start + run : count;
            size_t end = middle + run < count ? middle + run : count;
            merge(from, to, start, middle, end, compare, context);
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != indexes)
        memcpy(indexes, from, count * sizeof *indexes);
    free(spare);
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t kept = *a;
    *a = *b;
    *b = kept;
}

uint64_t sort_select(uint64_t *numbers, size_t count, size_t rank)
{
    size_t first = 0, end = count; /* the wanted number is in [first, end) */
    while (end - first > 1) {
        /* In three parts, because ages repeat: below the pivot, equal, above. */
        uint64_t pivot = numbers[first + (end - first) / 2];
        size_t below = first, at = first, above = end;
        while (at < above) {
            if (numbers[at] < pivot)
                swap(&numbers[at++], &numbers[below++]);
            else if (numbers[at] > pivot)
                swap(&numbers[at], &numbers[--above]);
            else
                at++;
        }
        if (rank < below)
            end = below;
        else if (rank >= above)
            first = above;
        else
            return pivot;
    }
    return numbers[first];
}
