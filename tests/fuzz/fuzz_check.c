/* The input of a plugin: ranges, the file of samples, and that of stuck connections. */
#include "fuzz.h"

#include "base/range.h"
#include "cmd/check/samples.h"
#include "cmd/check/stuck_since.h"

static void range(const char *text)
{
    struct range range;
    struct error err = { 0 };
    if (range_parse(text, &range, &err) == 0) {
        FUZZ_EXPECT(range.start <= range.end && strcmp(range.text, text) == 0);
        FUZZ_EXPECT(range_alerts(&range, range.start) == range.inside);
    } else {
        FUZZ_EXPECT(err.message[0] != '\0');
    }
}

/* Samples are written as they were read, except series that are not used. */
static void samples(const char *bytes, size_t size)
{
    struct samples samples, again;
    if (samples_parse(bytes, size, "fuzz", &samples) < 0)
        return;
    double rate;
    uint64_t over;
    for (unsigned i = 0; i < samples.count; i++) {
        struct series *series = &samples.items[i];
        series->used = true;
        FUZZ_EXPECT(series->count <= SAMPLES_MAX);
        if (series_growth(series, 1800000000000, 5, 300000, &rate, &over))
            FUZZ_EXPECT(over > 0);
    }
    struct buf text = { 0 };
    samples_format(&samples, "fuzz", &text);
    FUZZ_EXPECT(samples_parse(buf_text(&text), text.length, "fuzz", &again) == 0 && again.count == samples.count);
    for (unsigned i = 0; i < samples.count; i++)
        series_add(&samples.items[i], 1800000000000, 5, 300000);
    samples_deinit(&samples);
    samples_deinit(&again);
    buf_deinit(&text);
}

static void stuck_since(const char *bytes, size_t size)
{
    struct stuck_since since, again;
    if (stuck_since_parse(bytes, size, "fuzz", &since) < 0)
        return;
    struct buf text = { 0 };
    stuck_since_format(&since, "fuzz", &text);
    FUZZ_EXPECT(stuck_since_parse(buf_text(&text), text.length, "fuzz", &again) == 0 && again.count == since.count);
    stuck_since_deinit(&since);
    stuck_since_deinit(&again);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    range(text);
    free(text);
    uint8_t *bytes = fuzz_bytes(data, size);
    samples((const char *)bytes, size);
    stuck_since((const char *)bytes, size);
    free(bytes);
    return 0;
}
