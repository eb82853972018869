# serve.s - the life of a child: one request read, one answer sent, and the end.

        .intel_syntax noprefix
        .include "linux-gas.inc"
        .include "forking/forking.inc"

        .global serve_connection, leave, is_head

# Methods as numbers of four bytes: a number's lowest byte stands first in memory. The space
# behind a method belongs to the comparison, or GETX would be taken for GET.
GET_SPACE               = 'G' + ('E' << 8) + ('T' << 16) + (' ' << 24)
HEAD                    = 'H' + ('E' << 8) + ('A' << 16) + ('D' << 24)
POST                    = 'P' + ('O' << 8) + ('S' << 16) + ('T' << 24)
HEAD_SIZE               = 4
POST_SIZE               = 4

        .text
# serve_connection - answer one request; never returns.
#
# In:      edi      the connection
serve_connection:
        mov     ebx, edi

        # From here on the clock runs. SIGALRM ends the process, wherever it waits; the kernel
        # closes the connection, and the parent sees a child that has ended.
        mov     edi, CONNECTION_SECONDS
        mov     eax, SYS_alarm
        syscall

        call    read_head
        test    rax, rax
        jnz     .Lrefuse
        call    parse_head
        test    rax, rax
        jnz     .Lrefuse
        lea     rax, [rip + status_501]
        test    ebp, HAS_TRANSFER_ENCODING
        jnz     .Lrefuse

        # parse_head has made sure that the method ends somewhere; here it is compared.
        cmp     dword ptr [r12], GET_SPACE
        je      .Lpage
        call    is_head
        je      .Lpage
        lea     rax, [rip + status_405]
        cmp     dword ptr [r12], POST
        jne     .Lrefuse
        cmp     byte ptr [r12 + POST_SIZE], SPACE
        jne     .Lrefuse

        # POST: the body back, as bytes and no more. To send it back under the type that it came
        # with would let a form on any site have its own script run as a page of this one.
        call    read_body
        test    rax, rax
        jnz     .Lrefuse
        lea     rdi, [rip + status_200]
        lea     rsi, [rip + type_bytes]
        mov     rdx, r13
        mov     rcx, r15
        jmp     .Lanswer

.Lpage: lea     rdi, [rip + status_200]
        lea     rsi, [rip + type_html]
        lea     rdx, [rip + page]
        mov     ecx, [rip + page_size]
        jmp     .Lanswer

        # A refusal's body is its status: a counted text, so the bytes begin one further.
.Lrefuse:
        mov     rdi, rax
        lea     rsi, [rip + type_text]
        lea     rdx, [rax + 1]
        movzx   ecx, byte ptr [rax]
.Lanswer:
        call    answer

        # Close our half only. To close a socket while bytes of the client's are unread, or
        # still arrive, is a reset, and a reset may reach the client before it has read the
        # answer. So read on until the client closes too, for a while.
        mov     edi, ebx
        mov     esi, SHUT_WR
        mov     eax, SYS_shutdown
        syscall
        test    eax, eax
        js      leave
        mov     edi, LINGER_SECONDS
        mov     eax, SYS_alarm
        syscall
.Llinger:
        lea     rdi, [rip + request]
        mov     edx, HEAD_MAX
        call    receive
        test    eax, eax
        jnz     .Llinger

# leave - end the child; falls in from serve_connection. The kernel closes what is open.
#
# Out:     never returns; the status is 0
leave:  xor     edi, edi
        mov     eax, SYS_exit_group
        syscall

# is_head - whether the method is HEAD, so that no body may be sent.
#
# It also serves before the request line has been checked, or has come: unread bytes are 0.
#
# In:      r12      the request line
# Out:     ZF       set when it is
is_head:
        cmp     dword ptr [r12], HEAD
        jne     .Lother
        cmp     byte ptr [r12 + HEAD_SIZE], SPACE
.Lother:
        ret

# read_body - receive what is left of the body.
#
# It is kept whole before any of it goes back. Sent back as it comes, a client that writes all
# before it reads (most do) would fill both directions and wait for ever, and one that leaves
# halfway would have been promised a length that never comes.
#
# In:      r13      the body; some or all of it may have come with the head
#          r14      the end of what was received
#          r15      Content-Length
# Out:     rax      0, or the status to refuse the request with
#          r14      the new end of what was received
# Clobbers: rcx, rdx, rsi, rdi, r8 to r11
#
# For the length of this routine:
#   r9     one past the last byte of the body
read_body:
        lea     rax, [rip + status_411]
        cmp     r15, NO_LENGTH
        je      .Lread
        lea     rax, [rip + status_413]
        cmp     r15, BODY_MAX
        ja      .Lread
        call    send_continue

        lea     r9, [r13 + r15]
.Lmore: mov     rdx, r9
        sub     rdx, r14
        jbe     .Lwhole                         # more than the body may have come: no matter
        mov     rdi, r14
        call    receive
        add     r14, rax
        test    eax, eax
        jnz     .Lmore
        lea     rax, [rip + status_400]         # the body is shorter than was announced
        ret
.Lwhole:
        xor     eax, eax
.Lread: ret

# send_continue - tell a client that asked to be told to send the body, unless it has begun to.
#
# In:      ebp, r13, r14
# Clobbers: rax, rcx, rdx, rsi, rdi, r8 to r11
# Errors:  ends the process by leave
send_continue:
        mov     eax, ebp
        and     eax, IS_HTTP_1_1 | EXPECTS_CONTINUE
        cmp     eax, IS_HTTP_1_1 | EXPECTS_CONTINUE
        jne     .Lcontinued
        cmp     r14, r13
        jne     .Lcontinued
        lea     rsi, [rip + text_continue + 1]  # behind the byte with its length
        movzx   edx, byte ptr [rip + text_continue]
        xor     r10d, r10d
        call    send
.Lcontinued:
        ret

# status CODE, "reason" - a status: the rest of the status line, and the body of a refusal.
.macro status code:req, reason:req
        counted status_\code, "\code \reason\r\n"
.endm

        .section .rodata
        status  200, "OK"
        status  400, "Bad Request"
        status  405, "Method Not Allowed"
        status  411, "Length Required"
        status  413, "Content Too Large"
        status  414, "URI Too Long"
        status  431, "Request Header Fields Too Large"
        status  501, "Not Implemented"

        counted type_html, "Content-Type: text/html; charset=utf-8\r\n"
        counted type_text, "Content-Type: text/plain\r\n"
        counted type_bytes, "Content-Type: application/octet-stream\r\n"

        counted text_continue, "HTTP/1.1 100 Continue\r\n\r\n"

page:   .incbin "forking/page.html"
page_end:
        .balign 4
page_size:
        .long   page_end - page

        .section .note.GNU-stack, "", @progbits
