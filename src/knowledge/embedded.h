#pragma once
/* The table that tools/embed-pages makes of pages/, ordered by name. For this folder only. */
#include <stddef.h>

#include "knowledge/page.h"

extern const struct page embedded_pages[];
extern const size_t embedded_page_count;
