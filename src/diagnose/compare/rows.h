#pragma once
/* The rows that a person sees, made of the counts. */
#include "diagnose/compare/builder.h"

void diff_make_rows(struct diff_builder *builder);
