// Owns the arguments of forward in a container.
#define _GNU_SOURCE
#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>

#include "sockets.h"

static noreturn void usage(void) {
  fprintf(stderr,
          "usage: forward [--port PORT]... [--socket PATH] [--host NAME] [--lead PORT=PATH]... [--in DIR]\n"
          "               [--serve PORT]... [--publish LISTEN=PORT]... [--discover] -- PROGRAM [ARGUMENT...]\n"
          "       forward connect PATH HOST PORT\n"
          "       forward doors --agents DIR --tls PATH --plain PATH --control PATH [--limit N] [--id TEXT]\n");
  exit(USAGE);
}

static uint16_t parse_port(const char *text, char after) {
  char *end;
  long port = strtol(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != after || port < 1 || port > 65535) usage();
  return (uint16_t)port;
}

static void add_port(uint16_t **ports, int *count, uint16_t port) {
  for (int i = 0; i < *count; i++)
    if ((*ports)[i] == port) return;
  (*ports)[(*count)++] = port;
}

static void parse_publication(struct options *it, const char *text) {
  struct publication publication = {.port = parse_port(text, '=')};
  publication.leads_to = parse_port(strchr(text, '=') + 1, '\0');
  it->published[it->published_count++] = publication;
}

static void parse_lead(struct options *it, const char *text) {
  struct lead lead = {.port = parse_port(text, '=')};
  lead.path = strchr(text, '=') + 1;
  if (!is_path_of_socket(lead.path)) usage();
  it->leads[it->lead_count++] = lead;
}

static void parse_value(struct options *it, const char *name, const char *value) {
  if (strcmp(name, "--port") == 0) add_port(&it->ports, &it->port_count, parse_port(value, '\0'));
  else if (strcmp(name, "--serve") == 0) add_port(&it->served, &it->served_count, parse_port(value, '\0'));
  else if (strcmp(name, "--publish") == 0) parse_publication(it, value);
  else if (strcmp(name, "--lead") == 0) parse_lead(it, value);
  else if (strcmp(name, "--socket") == 0) it->socket = value;
  else if (strcmp(name, "--host") == 0) it->host = value;
  else if (strcmp(name, "--in") == 0) it->in = value;
  else usage();
}

static void check(const struct options *it) {
  if (!it->socket != (it->port_count == 0)) usage();
  if (!it->in && (it->served_count > 0 || it->discover)) usage();
  if (it->socket && !is_path_of_socket(it->socket)) usage();
}

int parse_options(int count, char **arguments, struct options *it) {
  int at = 1;
  *it = (struct options){0};
  // No more of anything than there are arguments.
  it->ports = calloc(count, sizeof *it->ports);
  it->served = calloc(count, sizeof *it->served);
  it->published = calloc(count, sizeof *it->published);
  it->leads = calloc(count, sizeof *it->leads);
  if (!it->ports || !it->served || !it->published || !it->leads) exit(USAGE);
  while (at + 1 < count && strcmp(arguments[at], "--") != 0) {
    if (strcmp(arguments[at], "--discover") == 0) {
      it->discover = true;
      at += 1;
    } else {
      parse_value(it, arguments[at], arguments[at + 1]);
      at += 2;
    }
  }
  if (at + 1 >= count) usage();
  check(it);
  return at + 1;
}

bool is_own_port(const struct options *it, uint16_t port) {
  for (int i = 0; i < it->port_count; i++)
    if (it->ports[i] == port) return true;
  for (int i = 0; i < it->published_count; i++)
    if (it->published[i].port == port) return true;
  for (int i = 0; i < it->lead_count; i++)
    if (it->leads[i].port == port) return true;
  return false;
}

bool is_served(const struct options *it, uint16_t port) {
  for (int i = 0; i < it->served_count; i++)
    if (it->served[i] == port) return true;
  return false;
}
