/**
 * `npm run cluster`: several nodes on one machine behind one port (ADR-0013).
 *
 * Guarantees: WebSocket and long polling both work, without cookies; a node that dies is started
 * again; a signal drains all; no node outlives the launcher. Not for several machines: there a load
 * balancer stands in front (deploy/).
 */
export { clusterNode, ownDatabaseVariable, ownPort, type ClusterNode } from './cluster-node.js';
export { routeToSiblings } from './sibling-router.js';
export { NodeStartError, Supervisor, type SupervisorPlan } from './supervisor.js';
