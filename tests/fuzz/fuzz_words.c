/*
 * Words that people type: states and addresses. A word that is understood is printed in a form with the same meaning.
 */
#include "fuzz.h"

#include "model/ip.h"
#include "model/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);

    enum conn_state state = state_parse(text);
    FUZZ_EXPECT((unsigned)state < STATE_COUNT);
    if (state != STATE_UNKNOWN)
        FUZZ_EXPECT(state_parse(state_name(state)) == state);

    struct ip_net net;
    if (ip_net_parse(text, &net) == 0) {
        FUZZ_EXPECT(net.prefix <= 128);
        struct buf out = { 0 };
        ip_net_format(&out, &net);
        struct ip_net again;
        FUZZ_EXPECT(ip_net_parse(buf_text(&out), &again) == 0);
        FUZZ_EXPECT(ip_equal(&net.address, &again.address) && net.prefix == again.prefix);
        FUZZ_EXPECT(ip_in_net(&net.address, &net));
        buf_deinit(&out);
    }
    free(text);
    return 0;
}
