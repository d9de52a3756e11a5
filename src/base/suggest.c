#include "base/suggest.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void suggest(struct suggestion *suggestion, const char *name)
{
    unsigned distance = text_distance(name, suggestion->wanted);
    unsigned most = suggestion->within > 0 ? suggestion->within : UINT_MAX;
    if (distance * 2 >= strlen(suggestion->wanted))
        return;
    if (distance >= (suggestion->nearest != NULL ? suggestion->distance : most))
        return;
    suggestion->nearest = name;
    suggestion->distance = distance;
}

const char *suggestion_text(
    const struct suggestion *suggestion, const char *otherwise, char ret_text[SUGGESTION_TEXT_MAX])
{
    if (suggestion->nearest != NULL)
        snprintf(ret_text, SUGGESTION_TEXT_MAX, "did you mean '%s'?", suggestion->nearest);
    else
        snprintf(ret_text, SUGGESTION_TEXT_MAX, "%s", otherwise);
    return ret_text;
}
