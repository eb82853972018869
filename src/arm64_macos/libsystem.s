// libsystem: an HTTP server for arm64 macOS that calls libSystem and nothing else.
//
// Usage: libsystem [port]      0.0.0.0, 8585 unless told otherwise; 0 asks for a free port.
//
// It answers every request with one page of HTML, one connection after another, by accept, read,
// write and close. Every call is checked, each with a message of its own (`libsystem: bind: ...`).
// SIGTERM and SIGINT end it with status 0 once the running request is answered.
//
// As nobody is served while another is, no client may take longer than DEADLINE_MS.
//
//   this file                   start, command line, signals, the line `Listening on port N`
//   libsystem-accept.inc        the listener, and the loop that takes connections
//   libsystem-serve.inc         one connection: request, answer
//   ../common/arm64-*.inc       numbers and messages, HTTP, streams: the same on both arm64 systems

        .include "darwin.inc"

        .equ    ARGC_MAX, 2             // the program's name and the port
        .equ    ARGV_1, WORD_SIZE
        .equ    PORT_DEFAULT, 8585
        .equ    PORT_MAX, 65535
        .equ    ADDRESS, INADDR_ANY
        .equ    DEADLINE_MS, 5000       // for a whole connection, from accept to close
        .equ    SHORTAGE_MS, 100        // before the next accept when descriptors have run out
        .equ    HEAD_MAX, 8192          // bytes of a request up to its empty line
        .equ    PAGE_LENGTH, 74

// `must name`: end with a message of the call's own if it failed.
        .macro  must name
        tbz     x0, #SIGN_BIT, Lmust_\@
        load_address x1, Lfailed_\@
        b       fail
        constants
        counted Lfailed_\@, "libsystem: \name: "
        .text
Lmust_\@:
        .endm

        .include "arm64-text.inc"
        .include "arm64-request.inc"
        .include "arm64-answers.inc"
        .include "arm64-fields.inc"
        .include "arm64-stream.inc"
        .include "arm64-report.inc"

        constants

        counted usage, "usage: libsystem [port]   (0 to 65535, 8585 if none is given)"
        counted listening, "Listening on port "

page_body:
        .ascii  "<!doctype html>\n"
        .ascii  "<title>libsystem</title>\n"
        .ascii  "<h1>Hello from arm64 macOS!</h1>\n"
        answer  page, "200 OK", "text/html; charset=utf-8"
        .if     page_length - PAGE_LENGTH
        .error  "the page has another length than it is known for"
        .endif

        reserve request_buffer, HEAD_MAX
        reserve stop_pipe, 2 * INT_SIZE
        .equ    STOP_READ, 0            // the end that the accept loop polls
        .equ    STOP_WRITE, INT_SIZE    // the end that the signal handler writes to

        .text

// _main: the whole run.
//
// In       w0 = argc, x1 = argv
        .globl  _main
_main:
        stp     x29, x30, [sp, #-PAIR]!
        mov     x29, sp
        mov     w0, w0                  // an int fills the lower half only
        bl      read_arguments
        bl      open_listener
        mov     x19, x0
        bl      catch_signals
        mov     x0, x19
        bl      announce
        mov     x0, x19
        bl      accept_loop             // from which nobody returns

// read_arguments: find the port.
//
// In       x0 = argc, x1 = argv
// Out      x0 = the port
// Errors   ends with the usage line and STATUS_USAGE
// Clobbers x1 to x6
read_arguments:
        stp     x29, x30, [sp, #-PAIR]!
        mov     x29, sp
        mov     x2, x0
        mov     x0, #PORT_DEFAULT
        cmp     x2, #ARGC_MAX
        b.lo    Lport_found
        b.hi    Lport_wrong

        // How long is argv[1]?
        ldr     x0, [x1, #ARGV_1]
        mov     x1, #0
Lport_length:
        ldrb    w2, [x0, x1]
        cbz     w2, Lport_parse
        add     x1, x1, #1
        b       Lport_length
Lport_parse:
        mov     x2, #PORT_MAX
        bl      parse_decimal
        tbnz    x0, #SIGN_BIT, Lport_wrong
Lport_found:
        ldp     x29, x30, [sp], #PAIR
        ret
Lport_wrong:
        b       refuse_arguments

// catch_signals: let SIGTERM and SIGINT write to a pipe that the accept loop polls.
//
// A flag would leave a gap between its check and the wait; a byte in a pipe stays until it is seen.
// SIGPIPE is ignored, so that a client or a reader of our output that is gone is only an EPIPE,
// and SIGXFSZ, so that an output file at its limit is only an EFBIG.
//
// Errors   ends with the message of the call that failed
// Clobbers x0 to x17
catch_signals:
        stp     x29, x30, [sp, #-PAIR - SIGACTION_SIZE]!
        mov     x29, sp
        load_address x0, stop_pipe
        call    pipe
        must    pipe
        load_address x0, stop_pipe
        ldr     w0, [x0, #STOP_READ]
        bl      set_nonblocking
        must    fcntl
        load_address x0, stop_pipe
        ldr     w0, [x0, #STOP_WRITE]
        bl      set_nonblocking
        must    fcntl

        load_address x0, on_stop
        mov     w1, #SA_RESTART
        str     x0, [sp, #PAIR + SIGACTION_HANDLER]
        str     w1, [sp, #PAIR + SIGACTION_FLAGS]
        str     wzr, [sp, #PAIR + SIGACTION_MASK]
        mov     x0, #SIGTERM
        add     x1, sp, #PAIR
        bl      set_action
        mov     x0, #SIGINT
        add     x1, sp, #PAIR
        bl      set_action

        mov     x0, #SIG_IGN
        str     x0, [sp, #PAIR + SIGACTION_HANDLER]
        mov     x0, #SIGPIPE
        add     x1, sp, #PAIR
        bl      set_action
        mov     x0, #SIGXFSZ
        add     x1, sp, #PAIR
        bl      set_action
        ldp     x29, x30, [sp], #PAIR + SIGACTION_SIZE
        ret

// set_action: the part of catch_signals that it does four times.
//
// In       x0 = signal, x1 = struct sigaction
// Errors   ends with the message of the call that failed
// Clobbers x0 to x17
set_action:
        stp     x29, x30, [sp, #-PAIR]!
        mov     x29, sp
        mov     x2, #0                  // the action before is of no interest
        call    sigaction
        must    sigaction
        ldp     x29, x30, [sp], #PAIR
        ret

// on_stop: the signal handler, a C function; errno is the interrupted code's, and is put back.
on_stop:
        stp     x29, x30, [sp, #-2 * PAIR]!
        mov     x29, sp
        stp     x19, x20, [sp, #PAIR]
        bl      ___error
        mov     x19, x0
        ldr     w20, [x0]
        load_address x1, stop_pipe
        ldr     w0, [x1, #STOP_WRITE]
        mov     x2, #1                  // any byte will do
        bl      _write                  // full: then there is one already
        str     w20, [x19]
        ldp     x19, x20, [sp, #PAIR]
        ldp     x29, x30, [sp], #2 * PAIR
        ret

// announce: tell the port, which the kernel may have chosen, to whoever reads standard output.
//
// In       x0 = the listener
// Errors   ends with the message of the call that failed
// Clobbers x0 to x17
announce:
        .equ    ANNOUNCE_ADDRESS, PAIR
        .equ    ANNOUNCE_LENGTH, ANNOUNCE_ADDRESS + SOCKADDR_IN_SIZE
        .equ    ANNOUNCE_LINE, ANNOUNCE_LENGTH + PAIR
        .equ    ANNOUNCE_FRAME, ANNOUNCE_LINE + 2 * PAIR
        stp     x29, x30, [sp, #-ANNOUNCE_FRAME]!
        mov     x29, sp
        mov     w1, #SOCKADDR_IN_SIZE
        str     w1, [sp, #ANNOUNCE_LENGTH]
        add     x1, sp, #ANNOUNCE_ADDRESS
        add     x2, sp, #ANNOUNCE_LENGTH
        call    getsockname
        must    getsockname

        add     x0, sp, #ANNOUNCE_LINE
        load_address x1, listening
        bl      append_text
        ldrh    w1, [sp, #ANNOUNCE_ADDRESS + SOCKADDR_IN_PORT]
        rev16   w1, w1
        bl      append_decimal
        mov     w1, #LF
        strb    w1, [x0], #1
        add     x1, sp, #ANNOUNCE_LINE
        sub     x2, x0, x1
        mov     x0, #STDOUT
        call    write                   // a server without a standard output serves all the same
        ldp     x29, x30, [sp], #ANNOUNCE_FRAME
        ret

        .include "libsystem-accept.inc"
        .include "libsystem-serve.inc"
