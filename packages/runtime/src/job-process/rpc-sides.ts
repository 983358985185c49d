import type { ServerJobCalls, ServerJobNotices, SiteJobCalls, SiteJobNotices } from "./job-channel.js";
import type { RpcPeer } from "./rpc-peer.js";

/** What the server's parent takes from the job process of a job. */
export interface ServerParentSide {
  readonly calls: ServerJobCalls;
  readonly notices: object;
}

/** What a server job process takes from its parent. */
export interface ServerJobSide {
  readonly calls: object;
  readonly notices: ServerJobNotices;
}

/** What a site's parent takes from the job process of a job. */
export interface SiteParentSide {
  readonly calls: SiteJobCalls;
  readonly notices: object;
}

/** What a site's job process takes from its parent. */
export interface SiteJobSide {
  readonly calls: object;
  readonly notices: SiteJobNotices;
}

/** A server job process's end of the channel to its parent. */
export type ServerJobPeer = RpcPeer<ServerJobSide, ServerParentSide>;

/** A site's job process's end of the channel to its parent. */
export type SiteJobPeer = RpcPeer<SiteJobSide, SiteParentSide>;
