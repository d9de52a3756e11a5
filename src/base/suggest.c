#include "base/suggest.h"

#include <limits.h>
#include <stddef.h>

#include "base/text.h"

void suggest(struct suggestion *suggestion, const char *name)
{
    unsigned distance = text_distance(name, suggestion->wanted);
    unsigned most = suggestion->within > 0 ? suggestion->within : UINT_MAX;
    if (distance >= (suggestion->nearest != NULL ? suggestion->distance : most))
        return;
    suggestion->nearest = name;
    suggestion->distance = distance;
}
