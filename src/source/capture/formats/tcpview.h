#pragma once
/* Reads rows of TCPView and tcpvcon. */
#include <stdio.h>
#include "source/capture/format.h"

enum line_kind tcpview_row(struct capture *capture, const struct line *line);
