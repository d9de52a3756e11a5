#pragma once
/*
 * Orphaned sockets, and the limit of them.
 */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(orphan_limit);
