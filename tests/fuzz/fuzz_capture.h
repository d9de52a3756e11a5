#pragma once
/* Conditions that hold for every capture. */
#include "fuzz.h"

#include "diagnose/diagnose.h"
#include "source/capture/capture.h"
#include "source/capture/format.h"
#include "source/capture/input/open.h"

static inline void expect_sound(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        FUZZ_EXPECT(conn->state < STATE_COUNT && conn->netns == 0); /* a word may be unknown: STATE_UNKNOWN */
        unsigned holders = 0;
        for (uint32_t h = conn->holder; h != NO_INDEX; h = snapshot->holders[h].next) {
            FUZZ_EXPECT(h < snapshot->holder_count && snapshot->holders[h].process < snapshot->process_count);
            FUZZ_EXPECT(++holders <= snapshot->holder_count);
        }
    }
    for (size_t i = 0; i < snapshot->process_count; i++)
        FUZZ_EXPECT(snapshot->processes[i].pid != 0 || snapshot->processes[i].name != NULL);
}

/* Reads the bytes as one format, whether or not they would be recognised as it. No line may be lost. */
static inline void parse_as(const char *id, const uint8_t *data, size_t size)
{
    const struct format *format = formats;
    while (format->id != NULL && strcmp(format->id, id) != 0)
        format++;
    FUZZ_EXPECT(format->id != NULL);
    uint8_t *bytes = fuzz_bytes(data, size);
    struct snapshot snapshot;
    struct input input;
    struct error err;
    snapshot_init(&snapshot);
    input_open_bytes(&input, (const char *)bytes, size);
    struct capture capture = { .snapshot = &snapshot, .format = format, .input = &input, .repairs = true };
    format->recognise(format, (const char *)bytes, size, true);
    FUZZ_EXPECT(format->parse(format, &capture, &err) == 0);
    uint64_t counted = 0;
    for (int kind = 0; kind < LINE_KINDS; kind++)
        counted += capture.kinds[kind];
    FUZZ_EXPECT(snapshot.conn_count <= capture.kinds[LINE_ROW]);
    /* The last record of a list ends after the last line of the text; JSON counts objects. */
    FUZZ_EXPECT(format->row == NULL || counted <= capture.lines + 1);
    expect_sound(&snapshot);
    capture_deinit(&capture);
    input_close(&input);
    snapshot_deinit(&snapshot);
    free(bytes);
}
