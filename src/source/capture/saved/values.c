/* Settings and counters of a network namespace, with the kernel's names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/capture/saved/fields.h"

void saved_write_settings(struct json *json, const struct net_values *values)
{
    json_key(json, "settings");
    json_object(json);
    for (int i = 0, next; i < SETTING_COUNT; i = next) {
        bool any = false;
        for (next = i; next < SETTING_COUNT && strcmp(setting_infos[next].name, setting_infos[i].name) == 0; next++)
            any |= values->has_setting[next];
        if (!any)
            continue;
        json_key(json, setting_infos[i].name);
        if (next > i + 1)
            json_array(json);
        for (int j = i; j < next; j++) {
            if (values->has_setting[j])
                json_int(json, values->settings[j]);
            else
                json_null(json);
        }
        if (next > i + 1)
            json_array_end(json);
    }
    json_object_end(json);
}

void saved_write_counters(struct json *json, const struct net_values *values)
{
    json_key(json, "counters");
    json_object(json);
    for (int i = 0; i < COUNTER_COUNT; i++) {
        if (!values->has_counter[i])
            continue;
        char name[64];
        snprintf(name, sizeof name, "%s.%s", counter_infos[i].line, counter_infos[i].name);
        json_key(json, name);
        json_int(json, values->counters[i]);
    }
    json_object_end(json);
}

static bool signed_number(const struct json_reader *json, int64_t *ret_number)
{
    if (!json->whole || json->number > INT64_MAX)
        return false;
    *ret_number = json->negative ? -(int64_t)json->number : (int64_t)json->number;
    return true;
}

/* Stores the value that begins with this token. SETTING_COUNT is a setting that this version does not know. */
static int store_setting(struct json_reader *json, enum json_token token, int setting, struct net_values *values)
{
    if (token == JSON_NUMBER && setting < SETTING_COUNT) {
        if (!signed_number(json, &values->settings[setting]))
            return -EINVAL;
        values->has_setting[setting] = true;
        return 0;
    }
    return json_skip(json, token) ? 0 : -EINVAL;
}

static int find_setting(const struct json_reader *json)
{
    int i = 0;
    while (i < SETTING_COUNT && !json_text_is(json, setting_infos[i].name))
        i++;
    return i;
}

int saved_read_settings(struct json_reader *json, struct net_values *values)
{
    enum json_token token = json_next(json);
    if (token != JSON_OBJECT)
        return -EINVAL;
    while ((token = json_next(json)) == JSON_KEY) {
        int first = find_setting(json);
        token = json_next(json);
        if (token != JSON_ARRAY) {
            if (store_setting(json, token, first, values) < 0)
                return -EINVAL;
            continue;
        }
        for (int i = first; (token = json_next(json)) != JSON_ARRAY_END; i++) {
            bool same = i < SETTING_COUNT && strcmp(setting_infos[i].name, setting_infos[first].name) == 0;
            if (store_setting(json, token, same ? i : SETTING_COUNT, values) < 0)
                return -EINVAL;
        }
    }
    return token == JSON_OBJECT_END ? 0 : -EINVAL;
}

/* Finds a counter by its name "TcpExt.ListenDrops". Returns COUNTER_COUNT if there is none. */
static int find_counter(const struct json_reader *json)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        size_t line = strlen(counter_infos[i].line), name = strlen(counter_infos[i].name);
        if (json->length == line + 1 + name && memcmp(json->text, counter_infos[i].line, line) == 0 &&
            json->text[line] == '.' && memcmp(json->text + line + 1, counter_infos[i].name, name) == 0)
            return i;
    }
    return COUNTER_COUNT;
}

int saved_read_counters(struct json_reader *json, struct net_values *values)
{
    enum json_token token = json_next(json);
    if (token != JSON_OBJECT)
        return -EINVAL;
    while ((token = json_next(json)) == JSON_KEY) {
        int counter = find_counter(json);
        token = json_next(json);
        if (token != JSON_NUMBER || counter == COUNTER_COUNT) {
            if (!json_skip(json, token))
                return -EINVAL;
        } else if (signed_number(json, &values->counters[counter])) {
            values->has_counter[counter] = true;
        } else {
            return -EINVAL;
        }
    }
    return token == JSON_OBJECT_END ? 0 : -EINVAL;
}
