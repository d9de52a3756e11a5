#pragma once
/* The notes of a diagnosis: why something that looks alarming is normal, and which states were not judged. */
#include "diagnose/context.h"
#include "model/diagnosis.h"

void notes_make(const struct context *context, struct diagnosis *diagnosis, const bool *selected);
