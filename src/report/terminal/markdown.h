#pragma once
/* Markdown (CommonMark with tables) for a terminal. */
#include "base/buf.h"
#include "report/report.h"

/*
 * Appends the text as it is to be read: headings at the margin, the rest two columns in, wrapped to
 * style->width. Only lines of code blocks may be wider; they are never wrapped, so that they can be copied.
 * Control characters come out escaped. Returns 0, or -EINVAL where the parser gives up.
 */
int markdown_render(const char *markdown, const struct report_style *style, struct buf *out);
