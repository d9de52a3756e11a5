#pragma once
/* Orphaned sockets, and their limit tcp_max_orphans. */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(orphan_limit);
