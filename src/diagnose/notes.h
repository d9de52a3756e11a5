#pragma once
/*
 * Why what looks alarming is not, and what was not judged.
 */
#include "diagnose/context.h"
#include "model/diagnosis.h"

void notes_make(const struct context *context, struct diagnosis *diagnosis, const bool *selected);
