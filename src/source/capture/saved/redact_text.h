#pragma once
/*
 * Texts that redaction may leave as they are, because they contain no names. They are recognised as a whole or by their
 * form. The file may come from outside: any other text in their place could contain names.
 */
#include <stdbool.h>

#include "model/snapshot.h"

bool redact_is_os(const char *text);     /* "linux" */
bool redact_is_source(const char *text); /* "linux-sock-diag" */
bool redact_is_call(const char *text);   /* "recvfrom" */
/* A function of the kernel, recognised by its form: "ep_poll". */
bool redact_is_channel(const char *text);
/* "pipe:[4711]", "anon_inode:[eventpoll]", "a socket that is not TCP" */
bool redact_is_object(const char *text);
/* "net:[4026532281]" */
bool redact_is_netns(const char *text);
/* The length of the version "6.1.0-13" in "6.1.0-13-acme". */
size_t redact_version_length(const char *kernel);
/*
 * Parses "the listener on 10.0.0.5:80" and "the ESTABLISHED connection to [2001:db8::1]:80". Returns the length of the
 * text before the address, or 0 for any other text; also the address, and the port as text with its colon.
 */
size_t redact_parse_target(const char *text, struct ip *ret_address, const char **ret_port);
