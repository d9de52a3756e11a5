#pragma once
/*
 * The tables that tools/embed-pages generates from pages/: the pages by name, and their other names. Only for this
 * folder.
 */
#include <stddef.h>

#include "knowledge/page.h"

extern const struct page embedded_pages[];
extern const size_t embedded_page_count;
extern const struct page_name embedded_names[];
extern const size_t embedded_name_count;
