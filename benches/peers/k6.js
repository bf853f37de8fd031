// One GET after another without a pause.
import http from 'k6/http';

export const options = { discardResponseBodies: true, insecureSkipTLSVerify: true };

export default function () {
  http.get(__ENV.BENCH_URL);
}
