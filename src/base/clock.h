#pragma once
/* Clocks and sleep. */
#include <stdint.h>

/* Time since an unspecified start (CLOCK_MONOTONIC). Nobody can set it. It stops while the computer is suspended. */
uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
/* Time since the computer was started, suspended time included. */
uint64_t clock_boot_ms(void);
/* Time since 1970 (UTC), as the computer's clock is set. */
uint64_t clock_real_ms(void);

/* Sleeps the whole time, also when a signal handler runs meanwhile. */
void clock_sleep_ms(uint64_t ms);
