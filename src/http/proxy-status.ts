/** Our member of Proxy-Status (RFC 9209): why the origin's answer could not be had. Sent whenever the origin was tried and failed. */
import { quoteSfString } from './cache-status.ts';

/** Error types of RFC 9209 §2.3 that we can tell apart. */
export type ProxyError =
  | 'dns_error' | 'dns_timeout' | 'destination_unavailable' | 'connection_refused' | 'connection_terminated' | 'connection_timeout' | 'connection_read_timeout'
  | 'connection_write_timeout' | 'connection_limit_reached' | 'tls_protocol_error' | 'tls_certificate_error'
  | 'http_response_incomplete' | 'http_response_timeout' | 'http_protocol_error' | 'http_response_header_section_size'
  | 'http_response_body_size' | 'http_request_error' | 'proxy_loop_detected' | 'proxy_internal_error';

export interface ProxyFailure {
  /** Absent where the origin answered, with an error status. */
  readonly error?: ProxyError;
  /** The origin's status, where it gave one. */
  readonly receivedStatus?: number;
  readonly details?: string;
}

export function proxyStatusMember(failure: ProxyFailure): string {
  let member = 'foreshadow';
  if (failure.error !== undefined) member += `; error=${failure.error}`;
  if (failure.receivedStatus !== undefined) member += `; received-status=${failure.receivedStatus}`;
  if (failure.details !== undefined) member += `; details=${quoteSfString(failure.details)}`;
  return member;
}
