#pragma once
/* The time, and waiting for some of it. */
#include <stdint.h>

/* Since some time in the past; it is never set back, and stands still while the computer is suspended. */
uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
/* Since the computer was started. It counts the time that the computer was suspended too. */
uint64_t clock_boot_ms(void);
/* Since 1970, as the computer's clock is set. */
uint64_t clock_real_ms(void);

/* A signal that has a handler does not cut it short. */
void clock_sleep_ms(uint64_t ms);
