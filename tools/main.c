/* cairn: finds the command and runs it. */
#include "commands.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tool_command commands[] = {
#define ROW(name, text) {#name, cmd_##name, text},
    CAIRN_COMMANDS(ROW)
#undef ROW
        {"", NULL, NULL},
};

const struct tool_command *tool_commands(void)
{
    return commands;
}

const struct tool_command *tool_find_command(const char *name)
{
    for (int i = 0; commands[i].run; i++)
        if (!strcmp(name, commands[i].name)) return &commands[i];
    return NULL;
}

static void name_commands(void)
{
    for (int i = 0; commands[i].run; i++)
        for (char *p = commands[i].name; *p; p++)
            if (*p == '_') *p = '-';
}

int tool_fail(const char *command, cairn_status status)
{
    const char *detail = cairn_error();
    fprintf(stderr, "cairn %s: %s\n", command, *detail ? detail : cairn_status_text(status));
    return cairn_status_exit(status);
}

void tool_note(const char *text)
{
    fprintf(stderr, "cairn: note: %s\n", text);
}

int tool_misuse(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "cairn %s: ", command);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return 2;
}

int tool_can_rewrite(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

int tool_can_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return tool_can_rewrite() && !(no && *no);
}

double tool_real(double value)
{
    return isnan(value) ? (double)NAN : value;
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

const volatile sig_atomic_t *tool_watch_signals(int sa_flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND | sa_flags;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &stop;
}

static void help(void)
{
    puts("usage: cairn COMMAND [OPTION]... [ARGUMENT]...\n"
         "\n"
         "Trains neural networks on any OpenCL device, bit for bit as the reference defines it.\n"
         "\n"
         "commands:");
    for (int i = 0; commands[i].run; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].text);
    puts("\n"
         "`cairn COMMAND --help` tells a command's options; `cairn --version` the version.\n"
         "Exit status: 0 good, 1 the thing asked about failed, 2 wrong use or bad input, 3 a "
         "device or system failure.");
}

static int unknown(const char *what, const char *word)
{
    fprintf(stderr,
            word ? "cairn: %s '%s'; the commands are:" : "cairn: %s; the commands are:", what,
            word);
    for (int i = 0; commands[i].run; i++) fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
    fputs(" (see cairn --help)\n", stderr);
    return 2;
}

/* Output that did not arrive (a full disk, a closed pipe) is a failure, too. */
static int finish(int code)
{
    if ((fflush(stdout) || ferror(stdout)) && code == 0) {
        fputs("cairn: writing to standard output failed\n", stderr);
        return 3;
    }
    return code;
}

/* Where standard input, output or error is closed, the next file opened would take its number, and
 * a message would land in it: /dev/null holds the place, for the other direction, so that output
 * still fails. */
static void hold_standard_files(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
}

/* One OpenCL implementation for CPUs compiles each kernel twice otherwise: for any size of the
 * work-groups, for the binary that is kept, and for the size that is launched. It reads this when
 * it is first called. */
static void set_environment(void)
{
    setenv("POCL_WORK_GROUP_SPECIALIZATION", "0", 0);
}

int main(int argc, char **argv)
{
    hold_standard_files();
    set_environment();
    name_commands();
    if (argc < 2) return unknown("a command is missing", NULL);
    const char *word = argv[1];
    int is_help = !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"),
        is_version = !strcmp(word, "--version");
    if (is_help && argc == 3) { /* cairn help COMMAND is cairn COMMAND --help */
        argv[1] = argv[2];
        argv[2] = "--help";
        word = argv[1];
    } else if ((is_help || is_version) && argc > 2) {
        fprintf(stderr, "cairn: '%s' is one argument too many behind %s\n", argv[argc - 1], word);
        return 2;
    } else if (is_help) {
        help();
        return finish(0);
    } else if (is_version) {
        printf("cairn %s\n", cairn_version());
        return finish(0);
    }
    if (!strcmp(word, "--complete")) return tool_complete(argc - 2, argv + 2);
    const struct tool_command *command = tool_find_command(word);
    if (command) return finish(command->run(argc - 1, argv + 1));
    return unknown(*word == '-' ? "there is no option" : "there is no command", word);
}
